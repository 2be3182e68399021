"""The layer that runs any cell along sequences."""

from collections.abc import Sequence
from typing import Any, Self

from fjax.configuration import replace
from fjax.core.keras_layout import KerasLayout
from fjax.core.naming import default_name, given_name
from fjax.core.penalties import with_penalty
from fjax.layers.inner import inner_layer
from fjax.layers.recurrent.cell import Cell, check_state_size
from fjax.layers.recurrent.recurrent import Recurrent
from fjax.layers.recurrent.stacked import StackedRNNCells
from fjax.typing import Params, PyTree, State


class RNN(Recurrent):
    """Run any cell along sequences.

    Args:
        cell: A cell, such as `LSTMCell`; a list of cells to stack; a pair whose `apply` takes the
            inputs of one step and a list of states and returns `(output, states)`; or an authored
            class with `call(self, inputs, states)`. A cell has `state_size`, an integer or a list
            of integers, and may have `output_size` and `get_initial_state(batch_size)`.
        return_sequences: Whether to return the outputs of all steps instead of the last.
        return_state: Whether to return the last states after the outputs.
        go_backwards: Whether to run from the last step to the first; the outputs are in the order
            of computation.
        stateful: Whether each batch starts from the states after the previous batch, which the
            layer's state holds; all batches must have the same size.
        unroll: Whether to unroll the loop over the steps, which takes longer to compile.
        zero_output_for_mask: Whether the outputs of masked steps are 0; otherwise they repeat the
            previous output.

    The layer skips masked steps (see `Embedding(mask_zero=True)` and `Masking`). The initial states
    are those of the cell, unless they are given as `initial_state=[…]` or as further inputs.

    Shapes: `(batch, time, …)` to `(batch, output_size)`, or `(batch, time, output_size)`.

    Raises:
        ValueError: The time axis is missing or empty, a mask or an initial state has the wrong
            shape, or the batch size of a stateful layer changes.

    Source: Keras's page "RNN layer".

    >>> import jax, jax.numpy as jnp
    >>> from fjax.layers import LSTMCell
    >>> layer, inputs = RNN(LSTMCell(4), return_sequences=True), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> params["lstm_cell"]["kernel"].shape
    (3, 16)
    >>> outputs, state = layer.apply(params, state, inputs)
    >>> outputs.shape
    (2, 5, 4)
    """

    keras_layout = KerasLayout(children=("cell",))

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
        check_state_size("RNN", self.cell)

    def children(self) -> list[tuple[str, Any]]:
        """Return the cell, by name."""
        return [(self._cell_name, self.cell)]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return this layer with another cell."""
        if len(layers) != 1:
            raise ValueError(f"`RNN` has one cell, received {len(layers)} cells to replace it.")
        return replace(self, cell=layers[0])

    def cell_subtree(self, tree: Params) -> Params:
        """Return the cell's part of the params or of the state."""
        return tree[self._cell_name]

    def with_cell_subtree(self, tree: State, subtree: State) -> State:
        """Return the params or the state with the cell's part replaced."""
        return {**tree, self._cell_name: subtree}

    def with_penalties(self, params: Params, cell_state: State, outputs: PyTree) -> State:
        """Return the cell's state with the penalties of the cell's regularizers."""
        if isinstance(self.cell, Cell):
            return with_penalty(self.cell, self.cell_subtree(params), cell_state, ())
        return cell_state

    @property
    def _cell_name(self) -> str:
        return given_name(self.cell) or default_name(self.cell)
