"""What the methods `add_weight`, `add_loss` and `super().call` act on in each phase."""

from typing import Any

from fjax.authoring.attributes import CONTEXT, INIT_WEIGHTS
from fjax.authoring.phases import Operation, Phase, require
from fjax.authoring.weights import InitWeight, check_new_name, weight_spec
from fjax.core.policies import author_policy
from fjax.typing import PyTree


class Context:
    """What an author's methods act on. This one is that of an object whose code does not run.

    Args:
        owner: The author's object.

    Attributes:
        phase: Which of the author's methods runs.
    """

    phase = Phase.OUTSIDE

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    @property
    def label(self) -> str:
        """The name of the object's class, for errors."""
        return type(self.owner).__name__

    def require(self, operation: Operation, what: str) -> None:
        """Raise RuntimeError if the class or the phase does not allow an operation."""
        if not has_construction(type(self.owner)):
            raise RuntimeError(
                f"`{self.label}`: {what} works only in a class that defines `call`. A layer with "
                "an `apply` of its own makes weights in `init`; to use it, put it into a model, or "
                "call `init` and `apply`."
            )
        require(operation, self.phase, f"`{self.label}`: {what}")

    def add_weight(self, shape: Any, initializer: Any, dtype: Any, *request: Any) -> Any:
        """Return what a new weight is made of, where the phase allows one.

        Args:
            shape: The shape.
            initializer: Makes the first value.
            dtype: The number type; None is that of the owner's weights.
            request: The further arguments of `weight_spec`.
        """
        self.require(Operation.ADD_WEIGHT, "`add_weight`")
        number_type = author_policy(self.owner).variable_dtype if dtype is None else dtype
        return weight_spec(self.label, shape, initializer, number_type, *request)

    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss of this pass."""
        self.require(Operation.ADD_LOSS, "`add_loss`")

    def extended_weight(self, name: str) -> Any:
        """Return a weight of the layer that the object's class extends, or None."""
        return None

    def call_extended(self, inputs: tuple[PyTree, ...], training: bool | None) -> PyTree:
        """Return the outputs of the layer that the object's class extends."""
        self.require(Operation.CALL_EXTENDED, "`super().call`")


class Construction(Context):
    """What the methods act on in `__init__`: the weights are kept on the object."""

    phase = Phase.CONSTRUCT

    def add_weight(self, *request: Any) -> InitWeight:
        """Return a new weight as the object holds it, without values."""
        spec = super().add_weight(*request)
        before = vars(self.owner).get(INIT_WEIGHTS, ())
        if spec.name is not None:
            check_new_name(self.label, spec.name, {weight.weight_spec.name for weight in before})
        weight = InitWeight(self.owner, spec)
        vars(self.owner)[INIT_WEIGHTS] = (*before, weight)
        return weight


def has_construction(cls: Any) -> bool:
    """Tell whether a class is one that an author wrote, whose `__init__` may make weights."""
    return getattr(cls.__init__, "is_construction", False)


def context_of(author: Any) -> Context:
    """Return what the methods of an author's object act on now."""
    return vars(author).get(CONTEXT) or Context(author)


def phase_of(author: Any) -> Phase:
    """Return which method of an author's object runs."""
    return context_of(author).phase


def is_running(author: Any) -> bool:
    """Tell whether one of the author's methods runs on an object."""
    return phase_of(author) is not Phase.OUTSIDE


def is_bound(author: Any) -> bool:
    """Tell whether an object is the copy on which `build` and `call` run in a pass."""
    return phase_of(author) in (Phase.BUILD, Phase.CALL)
