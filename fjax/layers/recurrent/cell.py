"""The base of the recurrent cells: weights, initial states and dropout."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import integer_at_least, number_between, seed_of
from fjax.layers.array_layer import resolve_functions
from fjax.layers.random_layer import require_key
from fjax.lowering.linear import linear
from fjax.lowering.random_numbers import bernoulli
from fjax.typing import Array, Key, Params, Shape, Spec, State

# `step(inputs, states) -> (output, states)`, for one step of a sequence.
CellStep = Callable[[Array, list[Array]], tuple[Array, list[Array]]]

# The factors of inputs and hidden states, `(1 or gates, batch, …)`, or None without dropout.
DropoutMasks = tuple[Array | None, Array | None]

# `recurrent_regularizer` and `recurrent_constraint` apply to the recurrent kernel.
WEIGHTS_OF_FIELDS = {"recurrent": "recurrent_kernel"}


class Cell(Layer):
    """Base of the recurrent cells; a subclass defines one step by `compute_step`.

    A cell is a layer that takes the inputs of one step and the states, and returns the output and
    the next states. Its weights are `kernel`, `recurrent_kernel` and `bias`.
    """

    rows_independent = True

    units: int

    # The number of gates, candidate included: each kernel has `units` columns for each.
    gates: ClassVar[int] = 1

    _weights_of_fields: ClassVar[Mapping[str, str]] = WEIGHTS_OF_FIELDS

    def __post_init__(self) -> None:
        super().__post_init__()
        check_cell_fields(self)

    @property
    def state_size(self) -> int | list[int]:
        """The size of the state, or a list of sizes."""
        return self.units

    @property
    def output_size(self) -> int:
        """The size of the output."""
        return self.units

    def get_initial_state(self, batch_size: int, dtype: Any = jnp.float32) -> list[Array]:
        """Return the initial states: zeros, `(batch_size, units)`."""
        return [jnp.zeros((batch_size, size), dtype) for size in state_sizes(self)]

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the kernels and the bias."""
        shape = tuple(specs[0].shape)
        if len(shape) != 2:
            raise ValueError(
                f"`{self.kind}` takes the inputs of one step, shape (batch, features), received "
                f"{shape}. Pass sequences to the layer that runs the cell, such as `RNN(cell)`."
            )
        keys, columns = jax.random.split(key, 3), self.gates * self.units
        draw = functools.partial(initializers.draw, dtype=self.variable_dtype)
        params = {
            "kernel": draw(self.kernel_initializer, keys[0], (shape[-1], columns)),
            "recurrent_kernel": draw(self.recurrent_initializer, keys[1], (self.units, columns)),
        }
        if self.use_bias:
            params["bias"] = self._init_bias(keys[2])
        return params, empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[tuple[Array, Any], State]:
        """Return the output and the next states, a list if the states came as a list."""
        if len(inputs) < 2:
            raise TypeError(
                f"`{self.kind}` takes the inputs of one step and the states, "
                f"`cell(inputs, states)`, received {len(inputs)} arguments."
            )
        values, *states = inputs
        is_list = isinstance(states[0], list | tuple)
        states = [*states[0], *states[1:]] if is_list else states
        count = len(state_sizes(self))
        if len(states) != count:
            raise ValueError(f"`{self.kind}` has {count} states, received {len(states)}.")
        step = self.step_function(params, values, key, training)
        output, states = step(values, states)
        return (output, states if is_list else states[0]), with_penalty(self, params, state, ())

    def step_function(
        self, params: Params, values: Array, key: Key | None, training: bool
    ) -> CellStep:
        """Return the function of one step.

        Args:
            params: The weights.
            values: Inputs of one step, `(batch, features)`; only their shape and dtype count.
            key: The key that dropout draws from, once for all steps.
            training: Whether dropout is active.
        """
        features = params["kernel"].shape[0]
        if values.shape[-1] != features:
            raise ValueError(
                f"`{self.kind}` was built for {features} features, received steps of shape "
                f"{tuple(values.shape)}: expected (batch, {features})."
            )
        masks = self._dropout_masks(params, values, key, training)
        return functools.partial(self.compute_step, params, masks)

    def compute_step(
        self, params: Params, masks: DropoutMasks, values: Array, states: list[Array]
    ) -> tuple[Array, list[Array]]:
        """Return the output and the next states, given the dropout masks of inputs and state."""
        raise NotImplementedError(f"`{self.kind}` defines no `compute_step`.")

    def _init_bias(self, key: Key) -> Array:
        return initializers.draw(
            self.bias_initializer, key, (self.gates * self.units,), self.variable_dtype
        )

    def _dropout_masks(
        self, params: Params, values: Array, key: Key | None, training: bool
    ) -> DropoutMasks:
        """Return the factors for inputs and hidden states, `(1 or gates, batch, …)`, or None.

        As in Keras, with recurrent dropout each gate has its own masks; without it all gates share
        one.
        """
        if not training or (self.dropout == 0.0 and self.recurrent_dropout == 0.0):
            return None, None
        keys = jax.random.split(require_key(self.kind, key, self.seed))
        masks = self.gates if self.recurrent_dropout else 1
        input_shape = (masks, *values.shape)
        hidden_shape = (masks, values.shape[0], self.units)
        dtype = jnp.result_type(values, params["kernel"])
        return (
            dropout_mask(keys[0], self.dropout, input_shape, dtype),
            dropout_mask(keys[1], self.recurrent_dropout, hidden_shape, dtype),
        )


def check_cell_fields(cell: Any) -> None:
    """Check and resolve the fields of a cell, or of a layer with the same fields."""
    owner = type(cell).__name__
    cell.units = integer_at_least(owner, "units", cell.units, 1)
    resolve_functions(cell)
    for name in ("dropout", "recurrent_dropout"):
        value = getattr(cell, name)
        setattr(cell, name, number_between(owner, name, value, 0.0, 1.0, open_high=True))
    if cell.seed is not None:
        cell.seed = seed_of(owner, cell.seed)


def check_state_size(owner: str, cell: Any) -> None:
    """Raise ValueError if a cell has no `state_size`."""
    if getattr(cell, "state_size", None) is None:
        raise ValueError(
            f"`{owner}`: the cell {cell!r} needs an attribute `state_size`: the size of its state, "
            "or a list of sizes."
        )


def state_sizes(cell: Any) -> list[Any]:
    """Return the sizes of a cell's states as a list."""
    size = cell.state_size
    return list(size) if isinstance(size, list | tuple) else [size]


def project(values: Array, kernel: Array, mask: Array | None) -> Array:
    """Return the product of values and a kernel, with dropout of the values.

    Args:
        values: `(batch, features)`.
        kernel: `(features, columns)`, a block of columns for each gate.
        mask: The factors of dropout: `(1, batch, features)` for all gates, `(gates, batch,
            features)` for each gate, or None.

    >>> values, kernel = jnp.ones((1, 2)), jnp.ones((2, 4))
    >>> mask = jnp.array([[[0.0, 2.0]], [[2.0, 2.0]]])
    >>> project(values, kernel, mask).tolist()
    [[2.0, 2.0, 4.0, 4.0]]
    """
    if mask is None:
        return linear(values, kernel)
    if mask.shape[0] == 1:
        return linear(values * mask[0], kernel)
    blocks = jnp.split(kernel, mask.shape[0], axis=-1)
    pairs = zip(mask, blocks, strict=True)
    return jnp.concatenate([linear(values * factors, block) for factors, block in pairs], axis=-1)


def dropout_mask(key: Key, rate: float, shape: Shape, dtype: Any) -> Array | None:
    """Return the factors of dropout, 0 or `1 / (1 - rate)`; None for a rate of 0."""
    if rate == 0.0:
        return None
    keep = 1.0 - rate
    return bernoulli(key, keep, shape).astype(dtype) / keep
