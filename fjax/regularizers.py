"""Regularizers: terms of the loss that keep weights or outputs small, with Keras's names.

    value = regularizer(x)

`x` is a weight, or a layer's outputs; the value is one number. Any function of one array that
returns one number is a regularizer too. Half-precision arrays are summed in float32.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from fjax.configuration import Configured, is_nonzero
from fjax.errors import number_between, one_of
from fjax.registry import Registry
from fjax.typing import Array, Identifier


class Regularizer(Configured):
    """Base of the regularizers; a subclass lists its fields and defines `__call__`.

    >>> class Largest(Regularizer):
    ...     factor: float = 0.1
    ...
    ...     def __call__(self, x):
    ...         return self.factor * jnp.max(jnp.abs(x))
    >>> float(Largest(0.5)(jnp.array([1.0, -4.0])))
    2.0
    """

    def __call__(self, x: Array) -> Array:
        """Return the penalty of an array, one number."""
        raise NotImplementedError(f"`{type(self).__name__}` must define `__call__(self, x)`.")


class L1(Regularizer):
    """`l1 * sum(|x|)`.

    Args:
        l1: Factor, not negative; None is 0.01.

    Raises:
        ValueError: The factor is negative or no number.

    Source: Keras's page "Layer weight regularizers".

    >>> float(L1(0.5)(jnp.array([1.0, -3.0])))
    2.0
    """

    _varying = frozenset({"l1"})

    l1: float = 0.01

    def __post_init__(self) -> None:
        self.l1 = _factor(self, "l1", self.l1, 0.01)

    def __call__(self, x: Array) -> Array:
        """Return the penalty of an array."""
        return self.l1 * jnp.sum(jnp.abs(_wide(x)))


class L2(Regularizer):
    """`l2 * sum(x ** 2)`.

    Args:
        l2: Factor, not negative; None is 0.01.

    Raises:
        ValueError: The factor is negative or no number.

    Source: Keras's page "Layer weight regularizers".

    >>> float(L2(0.5)(jnp.array([1.0, -3.0])))
    5.0
    """

    keeps_zeros = True

    _varying = frozenset({"l2"})

    l2: float = 0.01

    def __post_init__(self) -> None:
        self.l2 = _factor(self, "l2", self.l2, 0.01)

    def __call__(self, x: Array) -> Array:
        """Return the penalty of an array."""
        return self.l2 * jnp.sum(jnp.square(_wide(x)))


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x ** 2)`.

    Args:
        l1: Factor of the first sum, not negative; None is 0.
        l2: Factor of the second, likewise. Both are 0 by default, as in Keras.

    Raises:
        ValueError: A factor is negative or no number.

    Source: Keras's page "Layer weight regularizers".

    >>> float(L1L2(l1=0.5, l2=0.5)(jnp.array([1.0, -3.0])))
    7.0
    """

    _varying = frozenset({"l1", "l2"})

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        self.l1 = _factor(self, "l1", self.l1, 0.0)
        self.l2 = _factor(self, "l2", self.l2, 0.0)

    @property
    def keeps_zeros(self) -> bool:
        """Whether there is no L1 part: at 0 the gradient of |x| is 1, in JAX as in Keras on it."""
        return not is_nonzero(self.l1)

    def __call__(self, x: Array) -> Array:
        """Return the penalty of an array."""
        x = _wide(x)
        return self.l1 * jnp.sum(jnp.abs(x)) + self.l2 * jnp.sum(jnp.square(x))


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean of `|cosine|` over all pairs of rows (or columns) of a matrix.

    Args:
        factor: Not negative.
        mode: "rows" or "columns": which of them shall become orthogonal to each other.

    Raises:
        ValueError: The factor is negative or no number, the mode another, or the array no matrix
            with two such rows.

    Source: Keras's page "Layer weight regularizers".

    >>> float(OrthogonalRegularizer(1.0)(jnp.array([[2.0, 0.0], [0.0, 3.0]])))
    0.0
    >>> float(OrthogonalRegularizer(1.0)(jnp.array([[2.0, 0.0], [3.0, 0.0]])))
    1.0
    """

    factor: float = 0.01
    mode: str = "rows"

    def __post_init__(self) -> None:
        self.factor = _factor(self, "factor", self.factor)
        self.mode = one_of("OrthogonalRegularizer", "mode", self.mode, ["rows", "columns"])

    def __call__(self, x: Array) -> Array:
        """Return the penalty of a matrix."""
        if x.ndim != 2:
            raise ValueError(
                f"`OrthogonalRegularizer` needs a matrix, received an array of shape {x.shape}."
            )
        rows = _wide(x if self.mode == "rows" else x.T)
        count = len(rows)
        if count < 2:
            raise ValueError(
                f"`OrthogonalRegularizer` needs at least two {self.mode}, received a matrix of "
                f"shape {x.shape}."
            )
        # A row shorter than 1e-7 is not made longer than it is: its direction is noise.
        lengths = jnp.maximum(jnp.sum(jnp.square(rows), axis=1, keepdims=True), 1e-14)
        rows = rows * jax.lax.rsqrt(lengths)
        cosines = jnp.abs(rows @ rows.T) * (1.0 - jnp.eye(count))
        # Each pair stands in the matrix twice.
        return self.factor * jnp.sum(cosines) / (count * (count - 1))


# Keras's snake-case names of the classes.
l1 = L1
l1_l2 = L1L2
l2 = L2
orthogonal_regularizer = OrthogonalRegularizer

_registry = Registry("regularizer", [L1, L1L2, L2, OrthogonalRegularizer], {"l1_l2": L1L2})


def get(identifier: Identifier) -> Callable[[Array], Array] | None:
    """Return the regularizer that an identifier means; None is none.

    Args:
        identifier: A name, a class, `{"class_name": …, "config": …}`, a regularizer, a function of
            one array, or None.

    Raises:
        ValueError: The name is unknown; the nearest known one is suggested.
        TypeError: The identifier is none of these.

    >>> get("l2"), get(L1(0.1)), get(None)
    (L2(), L1(l1=0.1), None)
    """
    if identifier is None:
        return None
    regularizer = _registry.get(identifier)
    if isinstance(regularizer, Configured) and not isinstance(regularizer, Regularizer):
        raise TypeError(f"Expected a regularizer such as `L2(0.01)`, received {regularizer!r}.")
    return regularizer


def _factor(owner: Regularizer, argument: str, value: Any, default: Any = None) -> float:
    value = default if value is None else value
    return number_between(type(owner).__name__, argument, value, 0.0)


def _wide(x: Array) -> Array:
    return jnp.asarray(x, jnp.promote_types(x.dtype, jnp.float32))
