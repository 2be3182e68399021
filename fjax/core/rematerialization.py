"""Layers and functions whose inside is computed again for the gradients."""

from collections.abc import Sequence
from typing import Any, Self

import jax

from fjax.configuration import replace
from fjax.core.adapters import as_layer
from fjax.core.layer import Layer
from fjax.core.precision import apply_layer, init_layer
from fjax.typing import Constrains, Key, Params, PyTree, Spec, State


class Remat(Layer):
    """A layer whose inside is computed again for the gradients; see `remat`."""

    layer: Any

    masking = "takes"
    casting = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layer = as_layer(self.layer)

    @property
    def rows_independent(self) -> bool:
        """Whether the rows of the layer are independent."""
        return bool(getattr(self.layer, "rows_independent", False))

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and the state of the layer."""
        return init_layer(self.layer, key, *specs)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the outputs and the next state of the layer."""
        return apply_layer(
            self.layer, params, state, *inputs, key=key, training=training, remat=True
        )

    def inside(self) -> list[Any]:
        """Return the layer, whose weights are this layer's own."""
        return [self.layer]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return this layer with another layer inside."""
        if len(layers) != 1:
            raise ValueError(f"`Remat` has one layer inside, received {len(layers)} to replace it.")
        (layer,) = layers
        return replace(self, layer=layer)

    def constrain(self, params: Params) -> Params:
        """Return the params with the constraints of the layer applied."""
        if not self.trainable or not isinstance(self.layer, Constrains):
            return params
        return self.layer.constrain(params)


def remat(layer: Any, name: str | None = None) -> Any:
    """Return a layer, or a function of arrays, that keeps nothing but its inputs for the gradients.

    What is inside is computed a second time when the gradients need it, which takes about a third
    more time in training, and saves the memory of all values inside. The numbers are the same. The
    argument `remat=True` of a layer does the same for that layer; of `repeat` and of models, for
    each of the layers in them.

    Args:
        layer: A layer or model, as in `serial`; or a function, such as a method of a layer that
            `call` calls, which becomes `jax.checkpoint` of it. The arguments of a function that are
            not arrays are fixed: `remat(lambda x: f(x, training=True))`. It may call layers without
            state; the new state of others, such as a `BatchNormalization`, cannot leave it, which
            is an error of JAX.
        name: The name of the layer inside a larger container.

    Raises:
        TypeError: It is neither.

    Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost" (2016),
    https://arxiv.org/abs/1604.06174; `jax.checkpoint`; `keras.remat`.

    >>> import jax, jax.numpy as jnp
    >>> from fjax.core import serial
    >>> from fjax.layers import Dense
    >>> block = remat(serial(Dense(32, "gelu"), Dense(8)))
    >>> inputs = jnp.ones((4, 8))
    >>> params, state = block.init(jax.random.key(0), inputs)
    >>> block.apply(params, state, inputs)[0].shape
    (4, 8)
    >>> jax.grad(remat(lambda x: jnp.sin(jnp.sin(x))))(0.0).item()
    1.0
    """
    is_layer = isinstance(layer, Layer | tuple) or hasattr(layer, "layer_tree")
    if is_layer or name is not None:
        return Remat(layer, name=name)
    if not callable(layer) or isinstance(layer, type):
        raise TypeError(
            f"`remat` takes a function of arrays, received {layer!r}. Layers are taken, too."
        )
    return jax.checkpoint(layer)
