"""A stack of recurrent cells as one cell."""

from collections.abc import Sequence
from typing import Any, Self

import jax

from fjax.configuration import replace
from fjax.core.combinators import fold_key
from fjax.core.keras_layout import KerasLayout
from fjax.core.layer import Layer
from fjax.core.location import layer_context
from fjax.core.naming import unique_names
from fjax.core.precision import apply_layer, init_layer
from fjax.core.shapes import output_specs
from fjax.layers.inner import inner_layer
from fjax.layers.recurrent.cell import check_state_size, state_sizes
from fjax.typing import Key, Params, PyTree, State


class StackedRNNCells(Layer):
    """Stack cells into one cell: the output of each cell is the input of the next.

    Args:
        cells: A list of cells.

    Shapes: `(batch, features)` and a list of the states of each cell, to the output of the last
    cell and a list of the next states of each.

    Raises:
        ValueError: There is no cell, or a cell has no `state_size`.

    Source: Keras's page "StackedRNNCells layer".

    >>> import jax.numpy as jnp
    >>> from fjax.layers import GRUCell, LSTMCell, RNN
    >>> layer, inputs = RNN(StackedRNNCells([LSTMCell(4), GRUCell(2)])), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> list(params["stacked_rnn_cells"]), layer.apply(params, state, inputs)[0].shape
    (['lstm_cell', 'gru_cell'], (2, 2))
    """

    keras_layout = KerasLayout(container="cells")
    rows_independent = True

    cells: tuple[Any, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        cells = self.cells if isinstance(self.cells, list | tuple) else (self.cells,)
        self.cells = tuple(inner_layer("StackedRNNCells", "cells", cell) for cell in cells)
        if not self.cells:
            raise ValueError("`StackedRNNCells` needs at least one cell, received none.")
        for cell in self.cells:
            check_state_size("StackedRNNCells", cell)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [state_sizes(cell) for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the output of the last cell."""
        last = self.cells[-1]
        return getattr(last, "output_size", None) or state_sizes(last)[0]

    def children(self) -> list[tuple[str, Any]]:
        """Return the cells, by name."""
        return list(zip(unique_names(list(self.cells)), self.cells, strict=True))

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return a stack of other cells."""
        if len(layers) != len(self.cells):
            raise ValueError(
                f"`StackedRNNCells` has {len(self.cells)} cells, received {len(layers)} to replace "
                "them."
            )
        return replace(self, cells=tuple(layers))

    def init(self, key: Key, *specs: Any) -> tuple[Params, State]:
        """Return the params and the state of each cell, by name."""
        params, state = {}, {}
        values, states = specs
        cells = zip(self.children(), states, strict=True)
        for position, ((name, cell), cell_states) in enumerate(cells):
            with layer_context(name, cell, (values, cell_states)):
                cell_key = jax.random.fold_in(key, position)
                params[name], state[name] = init_layer(cell, cell_key, values, cell_states)
                values, _ = output_specs(cell, params[name], state[name], values, cell_states)
        return params, state

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the output of the last cell, and a list of the next states of each."""
        values, states = inputs
        all_states, new_state = [], {}
        cells = zip(self.children(), states, strict=True)
        for position, ((name, cell), cell_states) in enumerate(cells):
            with layer_context(name, cell, (values, cell_states)):
                (values, next_states), new_state[name] = apply_layer(
                    cell, params[name], state[name], values, cell_states,
                    key=fold_key(key, position), training=training,
                )  # fmt: skip
            all_states.append(next_states)
        return (values, all_states), new_state
