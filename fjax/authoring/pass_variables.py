"""Weights as variables during a pass, for classes whose `call` uses them as Keras's variables."""

import re
import weakref
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from fjax.typing import Array
from fjax.variable import OwnStorage, Variable

# The classes whose `call` uses `assign` or `value`: in their passes a weight is a variable. In the
# passes of others it is an array, which all functions of JAX take.
_WITH_VARIABLES: weakref.WeakSet[type] = weakref.WeakSet()


class PassVariable(Variable):
    """A weight during one pass.

    What is assigned to a state weight is the next state. What is assigned to a trainable weight is
    its value for the rest of the pass, as in Keras's compiled steps on JAX: gradients flow through
    it to the weight, which only the optimizer changes.

    Args:
        name: The name of the weight.
        value: Its array.
        trainable: Whether it is one of the params.
        note: Called with each array that is assigned.
    """

    def __init__(
        self, name: str, value: Array, trainable: bool, note: Callable[[Array], None]
    ) -> None:
        self._link(OwnStorage(value), name, value.shape, value.dtype, trainable)
        self._note = note

    def assign(self, value: Any) -> Array:
        """Replace the array, which may be traced, and return the new one.

        Raises:
            ValueError: The shape differs.
        """
        array = jnp.asarray(getattr(value, "value", value), self.dtype)
        if array.shape != self.shape:
            raise ValueError(
                f"`assign`: the weight {self.name!r} has the shape {self.shape}, received an array "
                f"of the shape {array.shape}."
            )
        self._storage.write(array)
        self._note(array)
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
