"""The phases of an author's object, and what its code may do in each.

| phase       | what runs                 | `add_weight` | `add_loss` | sublayers | `super().call` |
| ----------- | ------------------------- | ------------ | ---------- | --------- | -------------- |
| `CONSTRUCT` | `__init__`, on the object | yes          | no         | no        | no             |
| `BUILD`     | `build`, on a bound copy  | yes          | yes        | yes       | no             |
| `CALL`      | `call`, on the same copy  | no           | yes        | yes       | yes            |
| `OUTSIDE`   | none of these methods     | no           | no         | no        | no             |

An attribute that is set in `CONSTRUCT` stays on the object. One that is set in `BUILD` lasts until
the end of the pass. One that is set in `CALL` is dropped, unless it holds a weight of the state:
then its value is the next state.
"""

import enum
from collections.abc import Mapping


class Phase(enum.Enum):
    """Which method of an author's class runs."""

    CONSTRUCT = "in `__init__`"
    BUILD = "in `build`"
    CALL = "in `call`"
    OUTSIDE = "outside of `__init__`, `build` and `call`"


class Operation(enum.Enum):
    """What an author's code asks for, with the reason why not every phase allows it."""

    ADD_WEIGHT = "so that `init` and every `apply` find the same weights"
    ADD_LOSS = "because a loss belongs to one pass"
    CALL_SUBLAYER = "because a sublayer has its weights only during a pass"
    CALL_EXTENDED = "because the extended layer has its weights only during a pass"


ALLOWED: Mapping[Operation, tuple[Phase, ...]] = {
    Operation.ADD_WEIGHT: (Phase.CONSTRUCT, Phase.BUILD),
    Operation.ADD_LOSS: (Phase.BUILD, Phase.CALL),
    Operation.CALL_SUBLAYER: (Phase.BUILD, Phase.CALL),
    Operation.CALL_EXTENDED: (Phase.CALL,),
}


def require(operation: Operation, phase: Phase, what: str) -> None:
    """Raise RuntimeError if a phase does not allow an operation.

    Args:
        operation: The operation.
        phase: The phase.
        what: The operation in the author's words, such as `Linear.add_weight`.

    >>> require(Operation.ADD_WEIGHT, Phase.BUILD, "`Linear.add_weight`")
    >>> require(Operation.ADD_WEIGHT, Phase.CALL, "`Linear.add_weight`")
    Traceback (most recent call last):
        ...
    RuntimeError: `Linear.add_weight` was called in `call`. Call it in `__init__` or in `build`, \
so that `init` and every `apply` find the same weights.
    """
    allowed = ALLOWED[operation]
    if phase in allowed:
        return
    where = " or ".join(each.value for each in allowed)
    text = f"{what} was called {phase.value}. Call it {where}, {operation.value}."
    if phase is Phase.OUTSIDE:
        text += " To use the layer, put it into a model, or call `init` and `apply`."
    raise RuntimeError(text)
