"""The base class of layers that contain another layer."""

from collections.abc import Mapping
from typing import Any, Self

from fjax.core.layer import Layer
from fjax.layers.inner import inner_layer
from fjax.layers.serialization import deserialize


class Wrapper(Layer):
    """Base class for a layer of your own that changes what another layer computes.

    A subclass defines `call`, and calls `self.layer`. Its configuration contains the layer.

    Args:
        layer: The layer inside.
        kwargs: The arguments of `Layer`, such as `name`.

    Raises:
        TypeError: `layer` is not a layer.

    Source: Keras, `Wrapper`.

    >>> import jax.numpy as jnp
    >>> from fjax.layers import Dense
    >>> class Doubled(Wrapper):
    ...     def call(self, inputs):
    ...         return 2 * self.layer(inputs)
    >>> doubled = Doubled(Dense(1, kernel_initializer="ones"))
    >>> doubled(jnp.ones((1, 3)))
    Array([[6.]], dtype=float32)
    >>> Doubled.from_config(doubled.get_config()).layer
    Dense(units=1, kernel_initializer=Ones())
    """

    inherited_arguments = (*Layer.inherited_arguments, "layer")

    layer: Any

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = inner_layer(type(self).__name__, "layer", layer)

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Return the object with this configuration, as `get_config` returns it."""
        config = dict(config)
        return cls(deserialize(config.pop("layer"), custom_objects), **config)
