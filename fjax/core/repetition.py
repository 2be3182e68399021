"""Equal blocks one after the other, as one loop."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from fjax.core.adapters import as_layer
from fjax.core.calling import as_arguments
from fjax.core.combinators import folded
from fjax.core.layer import Layer
from fjax.core.location import layer_context
from fjax.core.naming import default_name
from fjax.core.precision import apply_layer, init_layer
from fjax.core.shapes import output_specs
from fjax.errors import integer_at_least
from fjax.typing import Key, Params, PyTree, Spec, State


class Repeat(Layer):
    """Equal blocks one after the other, their weights stacked; see `repeat`."""

    rows_independent = True

    layer: Any
    count: int

    masking = "takes"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layer = as_layer(self.layer)
        self.count = integer_at_least("Repeat", "count", self.count, 1)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the block's params and state, each array with a leading axis of blocks."""
        keys = jax.vmap(lambda position: jax.random.fold_in(key, position))(jnp.arange(self.count))
        with layer_context(self._block_name, self.layer, specs):
            params, state = jax.vmap(lambda one: init_layer(self.layer, one, *specs))(keys)
        # Tells a block that changes shape or dtype before anything is computed.
        output_specs(self, params, state, *specs)
        return params, state

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the last block's outputs, and the blocks' next states, stacked."""

        def block(values: tuple[PyTree, ...], own: Any) -> tuple[tuple[PyTree, ...], State]:
            position, params, state = own
            with layer_context(self._block_name, self.layer, values):
                outputs, state = apply_layer(
                    self.layer, params, state, *values,
                    key=folded(key, position), training=training,
                )  # fmt: skip
            self._check(values, outputs)
            return as_arguments(outputs), state

        each = (jnp.arange(self.count), params, state)
        values, state = jax.lax.scan(block, jax.tree.map(jnp.asarray, inputs), each)
        return values[0] if len(values) == 1 else values, state

    def inside(self) -> list[Any]:
        """Return the block: its weights are stacked, and have no name of their own."""
        return [self.layer]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return as many of another block."""
        if len(layers) != 1:
            raise ValueError(f"`Repeat` has one layer inside, received {len(layers)} for it.")
        (layer,) = layers
        return dataclasses.replace(self, layer=layer)

    def constrain(self, params: Params) -> Params:
        """Return the params with the constraints of each block applied."""
        if not self.trainable or not hasattr(self.layer, "constrain"):
            return params
        return jax.vmap(self.layer.constrain)(params)

    @property
    def _block_name(self) -> str:
        return getattr(self.layer, "name", None) or default_name(self.layer)

    def _check(self, inputs: tuple[PyTree, ...], outputs: PyTree) -> None:
        taken, returned = _kinds(inputs[0] if len(inputs) == 1 else inputs), _kinds(outputs)
        if taken != returned:
            raise ValueError(
                f"`Repeat`: a block must return what it takes, for the next one takes it again: "
                f"it takes {taken} and returns {returned}. Give {self._block_name!r} outputs of "
                "the shape and dtype of its inputs, or change these before the repeated part."
            )


def _kinds(tree: PyTree) -> PyTree:
    return jax.tree.map(lambda leaf: f"{jnp.shape(leaf)} {jnp.result_type(leaf)}", tree)


def repeat(layer: Any, count: int, name: str | None = None) -> Repeat:
    """Put `count` equal blocks one after the other, each with weights of its own.

    It computes what `serial` of as many such layers computes, with the same draws. The weights
    are stacked on a leading axis and one traced block runs in a `jax.lax.scan`, so that a deep
    network compiles as fast as a shallow one.

    Args:
        layer: The block, as in `serial`. Its outputs must have the shape and dtype of its inputs.
        count: How many blocks.
        name: The name of the whole inside a larger container.

    Shapes: as the block's. `params` and `state` are the block's, each array with a leading axis
    of size `count`.

    Raises:
        ValueError: The block changes shape or dtype, or `count` is not positive.
        TypeError: The block is no layer.

    >>> import jax, jax.numpy as jnp
    >>> from fjax.layers import Dense
    >>> deep = repeat(Dense(8, "relu"), 24)
    >>> inputs = jnp.ones((32, 8))
    >>> params, state = deep.init(jax.random.key(0), inputs)
    >>> params["kernel"].shape
    (24, 8, 8)
    >>> outputs, state = deep.apply(params, state, inputs)
    >>> outputs.shape
    (32, 8)
    """
    return Repeat(layer, count, name=name)
