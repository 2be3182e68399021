"""Layers in sequence as one layer."""

from typing import Any

import jax

from fjax.core.combinators import Serial
from fjax.core.keras_layout import KerasLayout
from fjax.layers.inner import inner_layer


class Pipeline(Serial):
    """Layers in sequence as one layer, such as a pipeline of preprocessing.

    Called on arrays without `training=`, it is in training mode, as in Keras: dropout and the like
    are active. In a model it follows the model's mode.

    Args:
        layers: A list of layers.
        name: A name.

    Raises:
        TypeError: `layers` is not a list, or contains something that is not a layer.

    Source: Keras's page "Pipeline".

    >>> import jax.numpy as jnp
    >>> from fjax.layers import Flatten, Rescaling
    >>> Pipeline([Rescaling(0.5), Flatten()])(jnp.ones((1, 1, 2)))
    Array([[0.5, 0.5]], dtype=float32)
    """

    fields_beyond_keras = frozenset({"given_names", "order"})
    keras_layout = KerasLayout(container="layers")

    def __post_init__(self) -> None:
        if not isinstance(self.layers, list | tuple):
            raise TypeError(f"`Pipeline`: `layers` must be a list, received {self.layers!r}.")
        self.layers = tuple(inner_layer("Pipeline", "layers", layer) for layer in self.layers)
        super().__post_init__()

    @property
    def kind(self) -> str:
        """The class name that a summary shows."""
        return "Pipeline"

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Call the layers on symbolic tensors, or on arrays, by default in training mode."""
        is_symbolic = any(hasattr(leaf, "__call_layer__") for leaf in jax.tree.leaves(inputs))
        if training is None and not is_symbolic:
            training = True
        return super().__call__(*inputs, training=training, **options)
