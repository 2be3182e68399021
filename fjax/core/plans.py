"""What `init` must make for an author's object."""

from typing import Any, NamedTuple

from fjax.typing import Params, PyTree, Shape, State


class WeightPlan(NamedTuple):
    """How a weight is made: which shape and type, by what, and whether gradients flow to it."""

    shape: Shape
    dtype: Any
    initializer: Any
    trainable: bool


class Plan:
    """What `init` must make for an author's object, found by one abstract pass through it.

    Args:
        remembers: Whether the object is to keep the layers that its `build` makes.

    Attributes:
        weights: The object's own weights, by name, in the order of `add_weight`.
        inherited: The inputs of the layer that the class extends, if `call` runs that.
        sublayers: What the sublayers met, by name: their place, and their inputs or own plan.
        penalized: Whether anything is added to the loss.
        modal: Whether the object's `call`, or that of a sublayer, is given the mode.
    """

    def __init__(self, remembers: bool = False) -> None:
        self.remembers = remembers
        self.weights: dict[str, WeightPlan] = {}
        self.inherited: tuple[PyTree, ...] | None = None
        self.sublayers: dict[str, SublayerPlan] = {}
        self.penalized = False
        self.modal = False


class SublayerPlan(NamedTuple):
    """A sublayer: its place among its siblings, itself, and its inputs or its own plan.

    What `init` makes of the inputs is kept in shapes.
    """

    position: int
    layer: Any
    needs: tuple[PyTree, ...] | Plan
    shapes: tuple[Params, State] | None = None
