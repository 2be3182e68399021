"""Equal blocks in sequence, run as one loop."""

from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from fjax.configuration import replace
from fjax.core.adapters import as_layer
from fjax.core.calling import as_arguments
from fjax.core.combinators import Serial, fold_key
from fjax.core.layer import Layer
from fjax.core.location import layer_context
from fjax.core.naming import default_name, given_name
from fjax.core.policies import cast_floats, casting_of, policy_of
from fjax.core.precision import apply_layer, init_layer
from fjax.core.shapes import output_specs
from fjax.errors import integer_at_least
from fjax.typing import Constrains, Key, Params, PyTree, Spec, State


class Repeat(Layer):
    """Equal blocks in sequence, whose weights are stacked; see `repeat`."""

    rows_independent = True

    layer: Any
    count: int

    masking = "takes"
    casting = "none"
    remat_inside = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layer = as_layer(self.layer)
        self.count = integer_at_least("Repeat", "count", self.count, 1)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and state of the block, each array with a leading axis of blocks."""
        specs = self._cast(specs)
        keys = jax.vmap(lambda position: jax.random.fold_in(key, position))(jnp.arange(self.count))
        with layer_context(self._block_name, self.layer, specs):
            params, state = jax.vmap(lambda key: init_layer(self.layer, key, *specs))(keys)
        # Raises if the block changes shape or dtype.
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
        """Return the outputs of the last block, and the next states of all blocks, stacked."""

        def block(values: tuple[PyTree, ...], weights: Any) -> tuple[tuple[PyTree, ...], State]:
            position, params, state = weights
            with layer_context(self._block_name, self.layer, values, has_path=False):
                outputs, state = apply_layer(
                    self.layer, params, state, *values,
                    key=fold_key(key, position), training=training, remat=self.remat,
                )  # fmt: skip
            self._check(values, outputs)
            return as_arguments(outputs), state

        stacked = (jnp.arange(self.count), params, state)
        first = self._cast(jax.tree.map(jnp.asarray, inputs))
        values, state = jax.lax.scan(block, first, stacked)
        return values[0] if len(values) == 1 else values, state

    def inside(self) -> list[Any]:
        """Return the block, whose stacked weights have no name of their own."""
        return [self.layer]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the same number of another block."""
        if len(layers) != 1:
            raise ValueError(
                f"`Repeat` has one layer inside, received {len(layers)} to replace it."
            )
        (layer,) = layers
        return replace(self, layer=layer)

    def constrain(self, params: Params) -> Params:
        """Return the params with the constraints of the block applied to each block."""
        if not self.trainable or not isinstance(self.layer, Constrains):
            return params
        return jax.vmap(self.layer.constrain)(params)

    @property
    def _block_name(self) -> str:
        return given_name(self.layer) or default_name(self.layer)

    def _cast(self, inputs: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
        """Return the inputs as the first layer of a block casts them: a loop keeps its dtypes."""
        dtype = _entry_dtype(self.layer)
        return inputs if dtype is None else cast_floats(inputs, dtype)

    def _check(self, inputs: tuple[PyTree, ...], outputs: PyTree) -> None:
        taken = _shapes_and_dtypes(inputs[0] if len(inputs) == 1 else inputs)
        returned = _shapes_and_dtypes(outputs)
        if taken != returned:
            raise ValueError(
                f"`Repeat`: the outputs of a block are the inputs of the next one, but "
                f"{self._block_name!r} takes {taken} and returns {returned}. Give its outputs the "
                "shape and dtype of its inputs, or convert the inputs before the repeated part."
            )


def _entry_dtype(layer: Any) -> str | None:
    """Return the dtype that the first layer within a layer casts its inputs to, or None."""
    inner = layer.inside() if casting_of(layer) == "none" and hasattr(layer, "inside") else []
    if inner and (isinstance(layer, Serial) or len(inner) == 1):
        return _entry_dtype(inner[0])
    if casting_of(layer) in ("none", "outputs") or not layer.autocast:
        return None
    return policy_of(layer).compute_dtype


def _shapes_and_dtypes(tree: PyTree) -> PyTree:
    return jax.tree.map(lambda leaf: f"{jnp.shape(leaf)} {jnp.result_type(leaf)}", tree)


def repeat(layer: Any, count: int, name: str | None = None, remat: bool = False) -> Repeat:
    """Put `count` equal blocks in sequence, each with its own weights.

    The result equals `serial` of `count` such layers, with the same random draws. The weights are
    stacked on a leading axis and one traced block runs in a `jax.lax.scan`, so that a deep network
    compiles as fast as a shallow one.

    Args:
        layer: The block, as in `serial`. Its outputs must have the shape and dtype of its inputs.
        count: The number of blocks.
        name: The name of the composed layer inside a larger container.
        remat: Whether to keep only the inputs of each block for the gradients, and to compute the
            block again there; see `fjax.remat`.

    Shapes: those of the block. `params` and `state` are those of the block, each array with a
    leading axis of size `count`.

    Raises:
        ValueError: The block changes shape or dtype, or `count` is not positive.
        TypeError: The block is not a layer.

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
    return Repeat(layer, count, name=name, remat=remat)
