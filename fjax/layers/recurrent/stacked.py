"""Cells on top of one another."""

from typing import Any

import jax

from fjax.core.combinators import Combinator, folded
from fjax.core.masking import applied, initialised
from fjax.core.outline import output_specs
from fjax.layers.recurrent.cell import sizes_of
from fjax.layers.recurrent.inner import inner_layer
from fjax.typing import Key, Params, PyTree, Spec, State


class StackedRNNCells(Combinator):
    """Cells one after the other, as one cell: the output of each is the inputs of the next.

    Args:
        layers: The cells.

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

    def __post_init__(self) -> None:
        kind = "StackedRNNCells"
        self.layers = tuple(inner_layer(kind, "layers", cell) for cell in self.layers)
        super().__post_init__()
        if not self.layers:
            raise ValueError(f"`{kind}` needs at least one cell, received none.")
        for cell in self.layers:
            if getattr(cell, "state_size", None) is None:
                raise ValueError(f"`{kind}`: the cell {cell!r} needs an attribute `state_size`.")

    @property
    def kind(self) -> str:
        """The class's name."""
        return "StackedRNNCells"

    @property
    def cells(self) -> list[Any]:
        """The cells."""
        return list(self.layers)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [sizes_of(cell) for cell in self.layers]

    @property
    def output_size(self) -> int:
        """The size of the last cell's output."""
        last = self.layers[-1]
        return getattr(last, "output_size", None) or sizes_of(last)[0]

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return each cell's params and state, by name."""
        params, state = {}, {}
        values, states = specs
        for position, ((name, cell), own) in enumerate(zip(self.children(), states, strict=True)):
            params[name], state[name] = initialised(
                cell, jax.random.fold_in(key, position), values, own
            )
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
            (values, made), next_state[name] = applied(
                cell, params[name], state[name], values, own,
                key=folded(key, position), training=training,
            )  # fmt: skip
            after.append(made)
        return (values, after), next_state
