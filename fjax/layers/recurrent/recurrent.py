"""The base of the layers that run a cell along sequences."""

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax.core.array_calls import filled_slot
from fjax.core.layer import Layer
from fjax.core.masking import check_mask, split_mask, with_mask
from fjax.core.policies import cast_floats, cast_params, policy_of
from fjax.core.precision import apply_layer, init_layer
from fjax.core.reserved import CARRY
from fjax.dtype_policies import DEFAULT
from fjax.layers.recurrent.arguments import split_initial_states
from fjax.layers.recurrent.cell import Cell, state_sizes
from fjax.lowering import recurrence
from fjax.lowering.recurrence import Step
from fjax.typing import Array, Key, Params, PyTree, Shape, Spec, State

FLAGS = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "zero_output_for_mask",
)


class Recurrent(Layer):
    """Base of the layers that run a cell along sequences: arguments, masks and states.

    A subclass has the fields `FLAGS` and an attribute `cell`, and decides where params and state
    hold the entries of the cell.
    """

    # Keras's ways to compute the same numbers.
    neutral_arguments: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "implementation": (0, 1, 2),
    }

    masking = "takes"
    call_parameters = ("sequences",)
    call_options: ClassVar[tuple[str, ...]] = ("initial_state",)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise ValueError(
                    f"`{self.kind}`: `{name}` must be True or False, received "
                    f"{getattr(self, name)!r}."
                )

    @property
    def rows_independent(self) -> bool:
        """Whether no state is carried from the rows of one batch to those of the next."""
        return not self.stateful

    def cell_subtree(self, tree: Params) -> Params:
        """Return the cell's part of the params or of the state."""
        raise NotImplementedError(f"`{self.kind}` defines no `cell_subtree`.")

    def with_cell_subtree(self, tree: State, subtree: State) -> State:
        """Return the params or the state with the cell's part replaced."""
        raise NotImplementedError(f"`{self.kind}` defines no `with_cell_subtree`.")

    def with_penalties(self, params: Params, cell_state: State, outputs: PyTree) -> State:
        """Return the cell's state with the penalties of the regularizers."""
        return cell_state

    def initial_states(self, cell_params: Params, values: Any) -> list[Any]:
        """Return the states before the first step of new sequences: the cell's own, or zeros."""
        return _initial_states(self.cell, cell_params, values)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and the state of the cell, and for a stateful layer initial states."""
        values, _, _ = self._parse_inputs(specs)
        cell = self.cell
        step_spec = jax.ShapeDtypeStruct((values.shape[0], *values.shape[2:]), values.dtype)
        states = jax.eval_shape(lambda: self.initial_states({}, values))
        params, cell_state = init_layer(cell, key, step_spec, states)
        state = self.with_cell_subtree({}, cell_state)
        if self.stateful:
            state = {**state, CARRY: _number_leaves(self.initial_states(params, values))}
        return self.with_cell_subtree({}, params), state

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the outputs, followed by the last states if `return_state` is set."""
        values, mask, initial_states = self._parse_inputs(inputs)
        cell = self.cell
        cell_params = cast_params(cell, self.cell_subtree(params))
        if policy_of(cell).name != DEFAULT:
            values = cast_floats(values, policy_of(cell).compute_dtype)
        result = recurrence(
            _step_function(cell, cell_params, values, key, training),
            values,
            self._first_states(cell_params, state, values, initial_states),
            self.cell_subtree(state),
            mask,
            sequences=self.return_sequences,
            backwards=self.go_backwards,
            unroll=self.unroll,
            zero_output_for_mask=self.zero_output_for_mask,
        )
        outputs = (result.outputs, *result.states) if self.return_state else result.outputs
        cell_state = self.with_penalties(params, result.kept, outputs)
        new_state = self.with_cell_subtree(state, cell_state)
        if self.stateful:
            new_state = {**new_state, CARRY: _number_leaves(result.states)}
        if self.return_sequences:
            sequences = with_mask(result.outputs, mask)
            outputs = (sequences, *result.states) if self.return_state else sequences
        return outputs, new_state

    @property
    def states(self) -> list[Array]:
        """What a stateful layer remembers of its last call, or of its last batch in a model."""
        slot = filled_slot(self) if self.stateful else None
        return [] if slot is None else jax.tree.leaves(slot.state[CARRY])

    def reset_states(self) -> None:
        """Set what a stateful layer remembers to 0: the older name of `reset_state()`."""
        self.reset_state()

    def reset_state(self, state: State | None = None) -> State:
        """Return the layer's state with the states that a stateful layer carries set to 0.

        Args:
            state: The state of the pure pair; by default that of the layer itself, which has a
                state in a model or after a call on arrays, and is changed.

        >>> from fjax.layers import LSTM
        >>> layer, inputs = LSTM(2, stateful=True), jnp.ones((1, 3, 4))
        >>> params, state = layer.init(jax.random.key(0), inputs)
        >>> _, after = layer.apply(params, state, inputs)
        >>> bool((after["carry"]["0"] == 0).any())
        False
        >>> bool((layer.reset_state(after)["carry"]["0"] == 0).all())
        True
        """
        slot = filled_slot(self) if state is None else None
        if slot is not None:
            slot.state = self.reset_state(slot.state)
            return slot.state
        if state is None or not self.stateful:
            return {} if state is None else state
        return {**state, CARRY: jax.tree.map(jnp.zeros_like, state[CARRY])}

    def _parse_inputs(self, inputs: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        """Return the sequences, their mask or None, and the given initial states or None."""
        sequences, initial_states = split_initial_states(self.kind, inputs)
        values, mask = split_mask(sequences)
        self.check_sequences(tuple(values.shape))
        return values, check_mask(self.kind, values, mask), initial_states

    def check_sequences(self, shape: Shape) -> None:
        """Raise ValueError if the layer does not take sequences of a shape."""
        takes_vectors = isinstance(self.cell, Cell)
        if len(shape) < 3 or (takes_vectors and len(shape) != 3):
            hint = " Add a time axis, as with `x[:, None]` or `x[..., None]`."
            raise ValueError(
                f"`{self.kind}` needs sequences of shape (batch, time, features), received "
                f"{shape}.{hint if len(shape) < 3 else ''}"
            )
        if shape[1] == 0:
            raise ValueError(
                f"`{self.kind}` needs sequences of at least one step, received {shape}: the time "
                "axis is empty."
            )

    def _first_states(
        self, cell_params: Params, state: State, values: Array, initial_states: Any
    ) -> list[Any]:
        """Return the states before the first step: those given, those carried, or the cell's."""
        zeros = self.initial_states(cell_params, values)
        if initial_states is not None:
            return self._check_states(initial_states, zeros)
        return self._carried_states(state[CARRY], zeros) if self.stateful else zeros

    def _check_states(self, states: Any, zeros: list[Any]) -> list[Any]:
        """Return given states with the structure and dtypes of `zeros`, or raise."""
        states = _as_lists(states if isinstance(states, list | tuple) else [states])
        shapes = jax.tree.map(jnp.shape, states)
        expected = jax.tree.map(jnp.shape, _as_lists(zeros))
        if shapes != expected:
            raise ValueError(
                f"`{self.kind}` needs {len(zeros)} initial states of shapes "
                f"{_format_shapes(expected)}, received {_format_shapes(shapes)}."
            )
        return jax.tree.map(lambda state, zero: state.astype(zero.dtype), states, zeros)

    def _carried_states(self, carried: State, zeros: list[Any]) -> list[Any]:
        """Return the states after the previous batch, or raise if the batch size changed."""
        states = [carried[str(number)] for number in range(len(carried))]
        leaves, structure = jax.tree.flatten(zeros)
        for state, zero in zip(states, leaves, strict=True):
            if state.shape != zero.shape:
                raise ValueError(
                    f"`{self.kind}` is stateful and carries the states of {state.shape[0]} "
                    f"sequences, received a batch of {zero.shape[0]}: all batches must have the "
                    "size that the layer was built with. In a model, set it by "
                    "`Input(shape, batch_size=…)`, and use data that fills all batches."
                )
        return jax.tree.unflatten(structure, states)


def _step_function(
    cell: Any, params: Params, values: Array, key: Key | None, training: bool
) -> Step:
    """Return the step of a cell for `recurrence`; dropout is the same in all steps."""
    if isinstance(cell, Cell):
        cell_step = cell.step_function(params, values[:, 0], key, training)
        return lambda entry, states, cell_state: (*cell_step(entry, states), cell_state)

    def step(entry: Any, states: list[Any], cell_state: State) -> Any:
        (output, new_states), cell_state = apply_layer(
            cell, params, cell_state, entry, states, key=key, training=training
        )
        is_list = isinstance(new_states, list | tuple)
        return output, list(new_states) if is_list else [new_states], cell_state

    return step


def _initial_states(cell: Any, params: Params, values: Any) -> list[Any]:
    """Return the cell's own initial states, or zeros, in the dtype of the computation."""
    floats = [
        leaf.dtype for leaf in jax.tree.leaves(params) if jnp.issubdtype(leaf.dtype, jnp.floating)
    ]
    dtype = jnp.result_type(values.dtype, *(floats or [jnp.float32]))
    if policy_of(cell).name != DEFAULT:
        dtype = jnp.dtype(policy_of(cell).compute_dtype)
    batch = values.shape[0]
    get_initial_state = getattr(cell, "get_initial_state", None)
    if callable(get_initial_state):
        states = get_initial_state(batch_size=batch)
        states = list(states) if isinstance(states, list | tuple) else [states]
    else:
        states = jax.tree.map(lambda size: jnp.zeros((batch, size)), state_sizes(cell))
    return jax.tree.map(lambda state: jnp.asarray(state).astype(dtype), _as_lists(states))


def _as_lists(states: Any) -> Any:
    """Return nested states with every tuple turned into a list."""
    return [_as_lists(item) for item in states] if isinstance(states, list | tuple) else states


def _number_leaves(states: list[Any]) -> dict[str, Array]:
    """Return the leaves of nested states as a dict with the keys "0", "1", …."""
    return {str(number): leaf for number, leaf in enumerate(jax.tree.leaves(states))}


def _format_shapes(shapes: Any) -> str:
    leaves = jax.tree.leaves(shapes, is_leaf=lambda leaf: type(leaf) is tuple)
    return " and ".join(map(str, leaves)) or "none"
