"""The base of the layers that run one of fjax's cells and have its arguments and weights."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

from fjax.configuration import field, stored
from fjax.core.keras_layout import KerasLayout
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.core.reserved import CARRY
from fjax.layers.recurrent.cell import WEIGHTS_OF_FIELDS, Cell, check_cell_fields
from fjax.layers.recurrent.recurrent import Recurrent
from fjax.typing import Key, Params, PyTree, Spec, State


class CellLayer(Recurrent):
    """Base of `SimpleRNN`, `LSTM` and `GRU`: a subclass has all fields of `cell_class`."""

    keras_layout = KerasLayout(group="cell")

    units: int

    zero_output_for_mask: bool = field(default=False, kw_only=True)

    cell_class: ClassVar[type[Cell]]
    _weights_of_fields: ClassVar[Mapping[str, str]] = WEIGHTS_OF_FIELDS

    def __post_init__(self) -> None:
        super().__post_init__()
        check_cell_fields(self)
        if "use_cudnn" in vars(self) and self.use_cudnn not in ("auto", False):
            raise ValueError(
                f"`{self.kind}`: `use_cudnn` must be 'auto' or False, received "
                f"{self.use_cudnn!r}: XLA compiles the layer, there is no other implementation."
            )

    @property
    def cell(self) -> Cell:
        """The cell with this layer's arguments."""
        names = {item.name for item in dataclasses.fields(self.cell_class)}
        names -= {"name", "input_shape", "remat"}
        return self.cell_class(**{name: stored(self, name) for name in names})

    def cell_subtree(self, tree: Params) -> Params:
        """Return all entries but the carried states: the weights of the cell are this layer's."""
        return {name: value for name, value in tree.items() if name != CARRY}

    def with_cell_subtree(self, tree: State, subtree: State) -> State:
        """Return the tree with the entries of the cell replaced."""
        return {**tree, **subtree}

    def with_penalties(self, params: Params, cell_state: State, outputs: PyTree) -> State:
        """Return the cell's state with the penalties of this layer's regularizers."""
        return with_penalty(self, params, cell_state, outputs)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the weights; a stateful layer starts from zeros."""
        params, state = super().init(key, *specs)
        return params, {**state, **empty_penalty(self)}
