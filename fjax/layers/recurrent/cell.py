"""What the recurrent cells have in common: weights, first states and dropout."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax import activations, initializers
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import integer_at_least, number_between, seed_of
from fjax.lowering.linear import linear
from fjax.typing import Array, Key, Params, Shape, Spec, State

# `step(inputs, states) -> (output, states)`, for one entry of a sequence.
CellStep = Callable[[Array, list[Array]], tuple[Array, list[Array]]]

# `recurrent_regularizer` and `recurrent_constraint` are those of the recurrent kernel.
WEIGHTS_OF_FIELDS = {"recurrent": "recurrent_kernel"}


class Cell(Layer):
    """Base of the cells: one step of a recurrent layer, by `step_function`.

    A cell is a layer: it is called on the inputs of one step and the states, and returns the output
    and the next states. Its weights are `kernel`, `recurrent_kernel` and `bias`.
    """

    rows_independent = True

    units: int

    # How many parts of `units` columns the kernels have.
    gates: ClassVar[int] = 1

    _weights_of_fields: ClassVar[Mapping[str, str]] = WEIGHTS_OF_FIELDS

    def __post_init__(self) -> None:
        super().__post_init__()
        check_cell(self)

    @property
    def state_size(self) -> int | list[int]:
        """The size of the state, or of each."""
        return self.units

    @property
    def output_size(self) -> int:
        """The size of the output."""
        return self.units

    def get_initial_state(self, batch_size: int, dtype: Any = jnp.float32) -> list[Array]:
        """Return the states to begin with: zeros, `(batch_size, units)`."""
        return [jnp.zeros((batch_size, size), dtype) for size in sizes_of(self)]

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the kernels and, if there is one, the bias."""
        shape = tuple(specs[0].shape)
        if len(shape) != 2:
            raise ValueError(
                f"`{self.kind}` takes one step, inputs of shape (batch, features), received "
                f"{shape}. Give sequences to the layer that runs it, such as `RNN(cell)`."
            )
        keys, columns = jax.random.split(key, 3), self.gates * self.units
        draw = initializers.draw
        params = {
            "kernel": draw(self.kernel_initializer, keys[0], (shape[-1], columns)),
            "recurrent_kernel": draw(self.recurrent_initializer, keys[1], (self.units, columns)),
        }
        if self.use_bias:
            params["bias"] = self._first_bias(keys[2])
        return params, empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[tuple[Array, Any], State]:
        """Return the output and the next states, in the structure of those that came."""
        if len(inputs) < 2:
            raise TypeError(
                f"`{self.kind}` is called on the inputs of a step and the states, "
                f"`cell(inputs, states)`, received {len(inputs)}."
            )
        values, *states = inputs
        nested = isinstance(states[0], list | tuple)
        states = [*states[0], *states[1:]] if nested else states
        if len(states) != len(sizes_of(self)):
            raise ValueError(
                f"`{self.kind}` has {len(sizes_of(self))} states, received {len(states)}."
            )
        step = self.step_function(params, values, key, training)
        output, after = step(values, states)
        return (output, after if nested else after[0]), with_penalty(self, params, state, ())

    def step_function(
        self, params: Params, values: Array, key: Key | None, training: bool
    ) -> CellStep:
        """Return the step, for inputs like these; what is dropped is drawn now, for all steps."""
        raise NotImplementedError(f"`{self.kind}` defines no `step_function`.")

    def _first_bias(self, key: Key) -> Array:
        return initializers.draw(self.bias_initializer, key, (self.gates * self.units,))

    def _masks(
        self, params: Params, values: Array, key: Key | None, training: bool, parts: int
    ) -> tuple[Array | None, Array | None]:
        """Return what inputs and hidden states are multiplied by in each step, or None.

        With recurrent dropout each of the `parts` of the kernels has masks of its own, as in Keras:
        arrays `(parts, batch, …)`.
        """
        if not training or (self.dropout == 0.0 and self.recurrent_dropout == 0.0):
            return None, None
        if key is None:
            raise ValueError(
                f"`{self.kind}` draws in training and needs a key: "
                "`layer.apply(params, state, inputs, key=jax.random.key(0), training=True)`."
            )
        if self.seed is not None:
            key = jax.random.fold_in(key, self.seed)
        keys = jax.random.split(key)
        parts = parts if self.recurrent_dropout else 1
        shape = (parts, *values.shape)
        hidden = (parts, values.shape[0], self.units)
        dtype = jnp.result_type(values, params["kernel"])
        return (
            _dropout_mask(keys[0], self.dropout, shape, dtype),
            _dropout_mask(keys[1], self.recurrent_dropout, hidden, dtype),
        )

    def _check_features(self, params: Params, values: Array) -> None:
        features = params["kernel"].shape[0]
        if values.shape[-1] != features:
            raise ValueError(
                f"`{self.kind}` was built for {features} features, received steps of shape "
                f"{tuple(values.shape)}: expected (batch, {features})."
            )


def check_cell(cell: Any) -> None:
    """Check and resolve the fields of a cell, or of the layer of one."""
    owner = type(cell).__name__
    cell.units = integer_at_least(owner, "units", cell.units, 1)
    for name in ("activation", "recurrent_activation"):
        if name in vars(cell):
            setattr(cell, name, activations.get(getattr(cell, name)))
    for name in ("kernel_initializer", "recurrent_initializer", "bias_initializer"):
        setattr(cell, name, initializers.get(getattr(cell, name)))
    for name in ("dropout", "recurrent_dropout"):
        value = getattr(cell, name)
        setattr(cell, name, number_between(owner, name, value, 0.0, 1.0, open_high=True))
    if cell.seed is not None:
        cell.seed = seed_of(owner, cell.seed)


def sizes_of(cell: Any) -> list[Any]:
    """Return the sizes of a cell's states as a list."""
    size = cell.state_size
    return list(size) if isinstance(size, list | tuple) else [size]


def projected(values: Array, kernel: Array, mask: Array | None, parts: int) -> Array:
    """Return the values times a kernel of several parts, dropped for all or for each of them.

    >>> values, kernel = jnp.ones((1, 2)), jnp.ones((2, 4))
    >>> mask = jnp.array([[[0.0, 2.0]], [[2.0, 2.0]]])
    >>> projected(values, kernel, mask, 2).tolist()
    [[2.0, 2.0, 4.0, 4.0]]
    """
    if mask is None:
        return linear(values, kernel)
    if mask.shape[0] == 1:
        return linear(values * mask[0], kernel)
    kernels = jnp.split(kernel, parts, axis=-1)
    pairs = zip(mask, kernels, strict=True)
    return jnp.concatenate([linear(values * own, part) for own, part in pairs], axis=-1)


def _dropout_mask(key: Key, rate: float, shape: Shape, dtype: Any) -> Array | None:
    if rate == 0.0:
        return None
    keep = 1.0 - rate
    return jax.random.bernoulli(key, keep, shape).astype(dtype) / keep
