"""Layers that run a cell along sequences."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp

from fjax.configuration import field
from fjax.core.calling import CallKwargs
from fjax.core.layer import Layer
from fjax.core.masking import check_mask, split_mask, strip_masks, with_mask
from fjax.core.naming import default_name
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.core.precision import apply_layer, init_layer
from fjax.core.reserved import CARRY
from fjax.layers.inner import inner_layer
from fjax.layers.recurrent.cell import WEIGHTS_OF_FIELDS, Cell, check_cell, sizes_of
from fjax.layers.recurrent.stacked import StackedRNNCells
from fjax.lowering import recurrence
from fjax.lowering.recurrence import Step
from fjax.typing import Array, Key, Params, PyTree, Spec, State


class Recurrent(Layer):
    """Base of the layers that run a cell along sequences: arguments, masks and states.

    A subclass has the fields `return_sequences`, `return_state`, `go_backwards`, `stateful`,
    `unroll` and `zero_output_for_mask`, a cell, and a place for the cell's weights.
    """

    masking = "takes"
    call_options: ClassVar[tuple[str, ...]] = ("initial_state",)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in _FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise ValueError(
                    f"`{self.kind}`: `{name}` must be True or False, received "
                    f"{getattr(self, name)!r}."
                )

    @property
    def rows_independent(self) -> bool:
        """Whether no state is carried from the rows of one batch to those of the next."""
        return not self.stateful

    @property
    def own_cell(self) -> Any:
        """The cell."""
        raise NotImplementedError(f"`{self.kind}` defines no `own_cell`.")

    def cell_part(self, tree: Params) -> Params:
        """Return the cell's part of the params or the state."""
        raise NotImplementedError(f"`{self.kind}` defines no `cell_part`.")

    def with_cell_part(self, tree: State, part: State) -> State:
        """Return the params or the state with the cell's part in it."""
        raise NotImplementedError(f"`{self.kind}` defines no `with_cell_part`.")

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the cell's params and state; a stateful layer begins with zeros."""
        values, _, _ = self._arranged(specs)
        cell = self.own_cell
        step = jax.ShapeDtypeStruct((values.shape[0], *values.shape[2:]), values.dtype)
        states = jax.eval_shape(lambda: _first_states(cell, {}, values))
        params, state = init_layer(cell, key, step, states)
        state = self.with_cell_part({}, state)
        if self.stateful:
            state = {**state, CARRY: _numbered(_first_states(cell, params, values))}
        return self.with_cell_part({}, params), state

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the outputs, of the last step or of all, and with `return_state` the states."""
        values, mask, initial = self._arranged(inputs)
        cell, weights = self.own_cell, self.cell_part(params)
        zeros = _first_states(cell, weights, values)
        first = zeros
        if initial is not None:
            first = self._checked_states(initial, zeros)
        elif self.stateful:
            first = self._remembered(state[CARRY], zeros)
        step = _step(cell, weights, values, key, training)
        made = recurrence(
            step,
            values,
            first,
            self.cell_part(state),
            mask,
            sequences=self.return_sequences,
            backwards=self.go_backwards,
            unroll=self.unroll,
            zero_output_for_mask=self.zero_output_for_mask,
        )
        outputs: PyTree = made.outputs
        if self.return_state:
            outputs = (outputs, *made.states)
        kept = self.with_penalty_of_cell(params, made.kept, outputs)
        after = self.with_cell_part(state, kept)
        if self.stateful:
            after = {**after, CARRY: _numbered(made.states)}
        if mask is not None and self.return_sequences:
            sequences, *states = outputs if self.return_state else (outputs,)
            sequences = with_mask(sequences, mask)
            outputs = (sequences, *states) if self.return_state else sequences
        return outputs, after

    def with_penalty_of_cell(self, params: Params, kept: State, outputs: PyTree) -> State:
        """Return the cell's state with what regularizers charge."""
        return kept

    def reset_state(self, state: State) -> State:
        """Return the layer's state with zeros in the place of what a stateful layer remembers.

        >>> from fjax.layers import LSTM
        >>> layer, inputs = LSTM(2, stateful=True), jnp.ones((1, 3, 4))
        >>> params, state = layer.init(jax.random.key(0), inputs)
        >>> _, after = layer.apply(params, state, inputs)
        >>> bool((after["carry"]["0"] == 0).any())
        False
        >>> bool((layer.reset_state(after)["carry"]["0"] == 0).all())
        True
        """
        if not self.stateful:
            return state
        return {**state, CARRY: jax.tree.map(jnp.zeros_like, state[CARRY])}

    def _arranged(self, inputs: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        """Return the sequences, their mask, and the first states that were given, or None."""
        named: dict[str, Any] = {}
        if inputs and isinstance(inputs[-1], CallKwargs):
            *rest, last = inputs
            inputs, named = tuple(rest), dict(last)
        if not inputs:
            raise TypeError(f"`{self.kind}` takes sequences, received no input.")
        first, *others = inputs
        values, mask = split_mask(first)
        initial = strip_masks(named.get("initial_state"))
        if others:
            if initial is not None:
                raise TypeError(
                    f"`{self.kind}` was given states both as further inputs and as "
                    "`initial_state`: give them once."
                )
            initial = strip_masks(others)
            if len(initial) == 1 and isinstance(initial[0], list | tuple):
                (initial,) = initial
        self._check_sequences(values)
        return values, check_mask(self.kind, values, mask), initial

    def _check_sequences(self, values: Any) -> None:
        shape = tuple(values.shape)
        exact = isinstance(self.own_cell, Cell)
        if len(shape) < 3 or (exact and len(shape) != 3):
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

    def _checked_states(self, given: Any, zeros: list[Any]) -> list[Any]:
        states = list(given) if isinstance(given, list | tuple) else [given]
        found = jax.tree.map(jnp.shape, _listed(states))
        wanted = jax.tree.map(jnp.shape, _listed(zeros))
        if found != wanted:
            raise ValueError(
                f"`{self.kind}` needs {len(zeros)} first states of the shapes {_shown(wanted)}, "
                f"received {_shown(found)}."
            )
        return jax.tree.map(lambda one, zero: one.astype(zero.dtype), _listed(states), zeros)

    def _remembered(self, state: State, zeros: list[Any]) -> list[Any]:
        kept = [state[str(number)] for number in range(len(state))]
        leaves, structure = jax.tree.flatten(zeros)
        for one, zero in zip(kept, leaves, strict=True):
            if one.shape != zero.shape:
                raise ValueError(
                    f"`{self.kind}` is stateful and remembers {one.shape[0]} sequences, received "
                    f"a batch of {zero.shape[0]}: all batches must have the size that the layer "
                    "was made with. In a model give it as `Input(shape, batch_size=…)`, and data "
                    "of whole batches."
                )
        return jax.tree.unflatten(structure, kept)


_FLAGS = (
    "return_sequences", "return_state", "go_backwards", "stateful", "unroll",
    "zero_output_for_mask",
)  # fmt: skip


class RNN(Recurrent):
    """Run any cell along sequences.

    Args:
        cell: A cell: `LSTMCell`, a list of cells to stack, a pair whose `apply` takes the inputs of
            a step and a list of states and returns `(output, states)`, or an author's class with
            `call(self, inputs, states)`. It has `state_size`, an integer or a list of them, and may
            have `output_size` and `get_initial_state(batch_size)`.
        return_sequences: Whether to return the outputs of all steps, not of the last alone.
        return_state: Whether to return the last states behind the outputs.
        go_backwards: Whether to begin at the end; the outputs are in the order of the steps.
        stateful: Whether the states after a batch, which are part of the layer's state, are the
            first ones of the next; all batches then have the same size.
        unroll: Whether to write out all steps in the program, which takes longer to compile.
        zero_output_for_mask: Whether outputs of masked steps are zero. Otherwise they repeat the
            one before, as the states do.

    Called with `initial_state=[…]`, or with the states as further inputs, it begins with these.

    Shapes: `(batch, time, …)` to `(batch, output_size)`, or `(batch, time, output_size)`.

    Raises:
        ValueError: The inputs have no time axis, or it is empty; a mask or first state has another
            shape; or a stateful layer is given another batch size.

    Source: Keras's page "RNN layer".

    >>> from fjax.layers import LSTMCell
    >>> layer, inputs = RNN(LSTMCell(4), return_sequences=True), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> params["lstm_cell"]["kernel"].shape
    (3, 16)
    >>> outputs, state = layer.apply(params, state, inputs)
    >>> outputs.shape
    (2, 5, 4)
    """

    cell: Any
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    zero_output_for_mask: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.cell, list | tuple):
            self.cell = StackedRNNCells(tuple(self.cell))
        self.cell = inner_layer("RNN", "cell", self.cell)
        size = getattr(self.cell, "state_size", None)
        if size is None:
            raise ValueError(
                f"`RNN`: the cell {self.cell!r} needs an attribute `state_size`: the size of its "
                "state, or a list of sizes."
            )

    @property
    def own_cell(self) -> Any:
        """The cell."""
        return self.cell

    def children(self) -> list[tuple[str, Any]]:
        """Return the cell, by name."""
        return [(self._cell_name, self.cell)]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the same layer of another cell."""
        if len(layers) != 1:
            raise ValueError(f"`RNN` has one cell, received {len(layers)} for it.")
        return dataclasses.replace(self, cell=layers[0])

    def cell_part(self, tree: Params) -> Params:
        """Return the cell's part of the params or the state."""
        return tree[self._cell_name]

    def with_cell_part(self, tree: State, part: State) -> State:
        """Return the params or the state with the cell's part in it."""
        return {**tree, self._cell_name: part}

    def with_penalty_of_cell(self, params: Params, kept: State, outputs: PyTree) -> State:
        """Return the cell's state with what its regularizers charge."""
        if isinstance(self.cell, Cell):
            return with_penalty(self.cell, self.cell_part(params), kept, ())
        return kept

    @property
    def _cell_name(self) -> str:
        return getattr(self.cell, "name", None) or default_name(self.cell)


class CellLayer(Recurrent):
    """Base of the layers of one of the cells: they have its fields, and its weights as theirs."""

    units: int

    zero_output_for_mask: bool = field(default=False, kw_only=True)

    cell_class: ClassVar[type[Cell]]
    _weights_of_fields: ClassVar[Mapping[str, str]] = WEIGHTS_OF_FIELDS

    def __post_init__(self) -> None:
        super().__post_init__()
        check_cell(self)
        if "use_cudnn" in vars(self) and self.use_cudnn not in ("auto", False):
            raise ValueError(
                f"`{self.kind}`: `use_cudnn` must be 'auto' or False, received "
                f"{self.use_cudnn!r}: XLA compiles the layer, there is no other implementation."
            )

    @property
    def own_cell(self) -> Any:
        """The cell, of the layer's own fields."""
        names = {item.name for item in dataclasses.fields(self.cell_class)}
        own = ("name", "input_shape")
        return self.cell_class(**{name: getattr(self, name) for name in names.difference(own)})

    def cell_part(self, tree: Params) -> Params:
        """Return what is the cell's: all but the remembered states."""
        return {name: value for name, value in tree.items() if name != CARRY}

    def with_cell_part(self, tree: State, part: State) -> State:
        """Return the cell's part, beside the remembered states."""
        return {**tree, **part}

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the weights; a stateful layer begins with zeros."""
        params, state = super().init(key, *specs)
        return params, {**state, **empty_penalty(self)}

    def with_penalty_of_cell(self, params: Params, kept: State, outputs: PyTree) -> State:
        """Return the state with what the layer's regularizers charge."""
        return with_penalty(self, params, kept, outputs)


def _step(cell: Any, params: Params, values: Array, key: Key | None, training: bool) -> Step:
    """Return the step of a cell; what a cell drops it drops in all steps of a sequence."""
    if isinstance(cell, Cell):
        own = cell.step_function(params, values[:, 0], key, training)
        return lambda entry, states, kept: (*own(entry, states), kept)

    def step(entry: Any, states: list[Any], kept: State) -> Any:
        (output, after), kept = apply_layer(
            cell, params, kept, entry, states, key=key, training=training
        )
        return output, list(after) if isinstance(after, list | tuple) else [after], kept

    return step


def _first_states(cell: Any, params: Params, values: Any) -> list[Any]:
    """Return zeros, or what the cell has for a beginning, of the type that steps compute in."""
    floats = [
        leaf.dtype for leaf in jax.tree.leaves(params) if jnp.issubdtype(leaf.dtype, jnp.floating)
    ]
    dtype = jnp.result_type(values.dtype, *(floats or [jnp.float32]))
    batch = values.shape[0]
    make = getattr(cell, "get_initial_state", None)
    if callable(make):
        states = make(batch_size=batch)
        states = list(states) if isinstance(states, list | tuple) else [states]
    else:
        sizes = sizes_of(cell)
        states = jax.tree.map(lambda size: jnp.zeros((batch, size)), list(sizes))
    return jax.tree.map(lambda one: jnp.asarray(one).astype(dtype), _listed(states))


def _listed(states: Any) -> Any:
    """Return nested states with lists alone."""
    return [_listed(one) for one in states] if isinstance(states, list | tuple) else states


def _numbered(states: list[Any]) -> dict[str, Array]:
    return {str(number): one for number, one in enumerate(jax.tree.leaves(states))}


def _shown(shapes: Any) -> str:
    shown = (f"{shape}" for shape in jax.tree.leaves(shapes, is_leaf=lambda s: type(s) is tuple))
    return " and ".join(shown) or "none"
