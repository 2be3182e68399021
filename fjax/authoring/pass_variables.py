"""State weights as variables during a pass, for classes whose `call` assigns them as in Keras."""

import weakref
from typing import Any

import jax.numpy as jnp

from fjax.typing import Array
from fjax.variable import OwnStorage, Variable

# The classes whose `call` uses `assign`: in their passes a state weight is a variable. In those of
# others it is an array, which all functions of JAX take.
_ASSIGNING: weakref.WeakSet[type] = weakref.WeakSet()


class PassVariable(Variable):
    """A state weight during one pass; what is assigned to it is the next state.

    Args:
        name: The name of the weight.
        value: Its array.
    """

    def __init__(self, name: str, value: Array) -> None:
        self._link(OwnStorage(value), name, value.shape, value.dtype, trainable=False)

    def assign(self, value: Any) -> Array:
        """Replace the array, which may be traced, and return the new one."""
        array = jnp.asarray(getattr(value, "value", value), self.dtype)
        if array.shape != self.shape:
            raise ValueError(
                f"`assign`: the weight {self.name!r} has the shape {self.shape}, received an array "
                f"of the shape {array.shape}."
            )
        self._storage.write(array)
        return array


def assigns(cls: type) -> bool:
    """Tell whether the `call` of a class is known to use `assign`."""
    return cls in _ASSIGNING


def note_assigns(cls: type) -> None:
    """Note that the `call` of a class uses `assign`."""
    _ASSIGNING.add(cls)
