"""Cells on top of one another."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import jax

from fjax.core.combinators import folded
from fjax.core.layer import Layer
from fjax.core.location import layer_context
from fjax.core.naming import unique_names
from fjax.core.precision import apply_layer, init_layer
from fjax.core.shapes import output_specs
from fjax.layers.inner import inner_layer
from fjax.layers.recurrent.cell import sizes_of
from fjax.typing import Key, Params, PyTree, State


class StackedRNNCells(Layer):
    """Cells one after the other, as one cell: the output of each is the inputs of the next.

    Args:
        cells: The cells, in a list.

    Shapes: `(batch, features)` and a list of the states of each to the last output and the next
    states.

    Raises:
        ValueError: There is no cell, or one has no `state_size`.

    Source: Keras's page "StackedRNNCells layer".

    >>> import jax.numpy as jnp
    >>> from fjax.layers import GRUCell, LSTMCell, RNN
    >>> layer, inputs = RNN(StackedRNNCells([LSTMCell(4), GRUCell(2)])), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> list(params["stacked_rnn_cells"]), layer.apply(params, state, inputs)[0].shape
    (['lstm_cell', 'gru_cell'], (2, 2))
    """

    rows_independent = True

    cells: tuple[Any, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        given = self.cells if isinstance(self.cells, list | tuple) else (self.cells,)
        self.cells = tuple(inner_layer("StackedRNNCells", "cells", cell) for cell in given)
        if not self.cells:
            raise ValueError("`StackedRNNCells` needs at least one cell, received none.")
        for cell in self.cells:
            if getattr(cell, "state_size", None) is None:
                raise ValueError(
                    f"`StackedRNNCells`: the cell {cell!r} needs an attribute `state_size`: the "
                    "size of its state, or a list of sizes."
                )

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [sizes_of(cell) for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the last cell's output."""
        last = self.cells[-1]
        return getattr(last, "output_size", None) or sizes_of(last)[0]

    def children(self) -> list[tuple[str, Any]]:
        """Return the cells, by name."""
        return list(zip(unique_names(list(self.cells)), self.cells, strict=True))

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the same of other cells."""
        if len(layers) != len(self.cells):
            raise ValueError(
                f"`StackedRNNCells` has {len(self.cells)} cells, received {len(layers)} for them."
            )
        return dataclasses.replace(self, cells=tuple(layers))

    def init(self, key: Key, *specs: Any) -> tuple[Params, State]:
        """Return each cell's params and state, by name."""
        params, state = {}, {}
        values, states = specs
        for position, ((name, cell), own) in enumerate(zip(self.children(), states, strict=True)):
            with layer_context(name, cell, (values, own)):
                own_key = jax.random.fold_in(key, position)
                params[name], state[name] = init_layer(cell, own_key, values, own)
                values, _ = output_specs(cell, params[name], state[name], values, own)
        return params, state

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the last cell's output, and the next states of each."""
        values, states = inputs
        after, next_state = [], {}
        for position, ((name, cell), own) in enumerate(zip(self.children(), states, strict=True)):
            with layer_context(name, cell, (values, own)):
                (values, made), next_state[name] = apply_layer(
                    cell, params[name], state[name], values, own,
                    key=folded(key, position), training=training,
                )  # fmt: skip
            after.append(made)
        return (values, after), next_state
