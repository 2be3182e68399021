"""Weights as variables during a pass, for classes whose `call` uses them as Keras's variables."""

import re
import weakref
from typing import Any

import jax.numpy as jnp

from fjax.typing import Array
from fjax.variable import OwnStorage, Variable

# The classes whose `call` uses `assign` or `value`: in their passes a weight is a variable. In the
# passes of others it is an array, which all functions of JAX take.
_WITH_VARIABLES: weakref.WeakSet[type] = weakref.WeakSet()


class PassVariable(Variable):
    """A weight during one pass; what is assigned to a state weight is the next state.

    Args:
        name: The name of the weight.
        value: Its array.
        trainable: Whether it is one of the params, which cannot be assigned.
    """

    def __init__(self, name: str, value: Array, trainable: bool) -> None:
        self._link(OwnStorage(value), name, value.shape, value.dtype, trainable)

    def assign(self, value: Any) -> Array:
        """Replace the array, which may be traced, and return the new one.

        Raises:
            ValueError: The weight is trainable, or the shape differs.
        """
        if self.trainable:
            raise ValueError(
                f"`assign`: `call` set the trainable weight {self.name!r}, which only the "
                "optimizer changes. Make it with `add_weight(trainable=False)` to set it in `call`."
            )
        array = jnp.asarray(getattr(value, "value", value), self.dtype)
        if array.shape != self.shape:
            raise ValueError(
                f"`assign`: the weight {self.name!r} has the shape {self.shape}, received an array "
                f"of the shape {array.shape}."
            )
        self._storage.write(array)
        return array


def uses_variables(cls: type) -> bool:
    """Tell whether the `call` of a class is known to use its weights as variables."""
    return cls in _WITH_VARIABLES


def note_use(cls: type, error: AttributeError) -> bool:
    """Note that a class uses its weights as variables, if that is what an error of `call` says.

    Returns:
        Whether it was not known before, so that the pass can begin again.
    """
    asks = re.search(r"no attribute '?(assign\w*|value|numpy)\b", str(error)) is not None
    if not asks or uses_variables(cls):
        return False
    _WITH_VARIABLES.add(cls)
    return True
