"""The learning rate as users see it: a number that can be assigned."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fjax.typing import Array


class RateValue(float):
    """The learning rate of an optimizer: a float, with the methods of a `Variable`.

    It shows the current rate, also if the rate is assigned later.

    Args:
        read: Returns the current rate.
        assign: Sets the rate.

    Source: Keras, `Optimizer.learning_rate`.

    >>> rate = Variable(0.5)
    >>> shown = RateValue(lambda: rate.value, rate.assign)
    >>> shown.assign(0.25)
    Array(0.25, dtype=float32)
    >>> shown * 2, shown < 0.5, f"{shown:.3f}", shown.numpy()
    (0.5, True, '0.250', array(0.25, dtype=float32))
    """

    shape = ()
    dtype = "float32"
    name = "learning_rate"

    def __new__(cls, read: Callable[[], Array], assign: Callable[[Any], Array]) -> "RateValue":
        """Return the number, which the C code of Python reads without asking its methods."""
        value = super().__new__(cls, float(read()))
        value._read, value._assign = read, assign
        return value

    _read: Callable[[], Array]
    _assign: Callable[[Any], Array]

    @property
    def value(self) -> Array:
        """The rate as an array."""
        return jax.numpy.asarray(self._read(), "float32")

    def numpy(self) -> np.ndarray:
        """Return the rate as a numpy array."""
        return np.array(self.value)

    def assign(self, value: Any) -> Array:
        """Set the rate, and return it; nothing is compiled again.

        Raises:
            TypeError: The rate follows a schedule.
            ValueError: It is not a non-negative number.
        """
        return self._assign(value)

    def __jax_array__(self) -> Array:
        return self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.value, dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return float, (float(self),)

    def __float__(self) -> float:
        return float(self._read())


def _of_current(name: str) -> Callable[..., Any]:
    method = getattr(float, name)

    def current(self: RateValue, *arguments: Any) -> Any:
        return method(float(self), *map(_plain, arguments))

    return current


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, RateValue) else value


_LIVE = (
    "eq", "ne", "lt", "le", "gt", "ge", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv",
    "rtruediv", "floordiv", "rfloordiv", "mod", "rmod", "pow", "rpow", "neg", "pos", "abs", "bool",
    "int", "round", "format", "repr", "hash",
)  # fmt: skip
for _name in _LIVE:
    setattr(RateValue, f"__{_name}__", _of_current(f"__{_name}__"))


def shown_rate(read: Callable[[], Array], assign: Callable[[Any], Array]) -> Any:
    """Return the learning rate as users see it; while tracing, the traced number."""
    value = read()
    return value if isinstance(value, jax.core.Tracer) else RateValue(read, assign)
