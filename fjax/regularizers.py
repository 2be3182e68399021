"""Regularizers: penalties on weights or outputs that are added to the loss, with Keras's names.

    penalty = regularizer(x)

`x` is a weight or a layer's outputs; the penalty is a scalar. Any function from an array to a
scalar is a regularizer too. Half-precision arrays are summed in float32.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax.configuration import Configured, is_nonzero
from fjax.errors import number_between, one_of
from fjax.registry import Registry, serializer
from fjax.typing import Array, Identifier

serialize = serializer("regularizer")


class Regularizer(Configured):
    """Base class of regularizers: a subclass lists its fields and defines `__call__`.

    >>> class Largest(Regularizer):
    ...     factor: float = 0.1
    ...
    ...     def __call__(self, x):
    ...         return self.factor * jnp.max(jnp.abs(x))
    >>> float(Largest(0.5)(jnp.array([1.0, -4.0])))
    2.0
    """

    def __call__(self, x: Array) -> Array:
        """Return the penalty of an array, a scalar."""
        raise NotImplementedError(f"`{type(self).__name__}` must define `__call__(self, x)`.")


class L1(Regularizer):
    """`l1 * sum(|x|)`.

    Args:
        l1: A factor of at least 0; None means 0.01.

    Raises:
        ValueError: The factor is negative or not a number.

    Source: Keras's page "Layer weight regularizers".

    >>> float(L1(0.5)(jnp.array([1.0, -3.0])))
    2.0
    """

    traceable_fields = frozenset({"l1"})

    l1: float = 0.01

    def __post_init__(self) -> None:
        self.l1 = _factor(self, "l1", self.l1, 0.01)

    def __call__(self, x: Array) -> Array:
        """Return the penalty of an array."""
        return self.l1 * jnp.sum(jnp.abs(_at_least_float32(x)))


class L2(Regularizer):
    """`l2 * sum(x ** 2)`.

    Args:
        l2: A factor of at least 0; None means 0.01.

    Raises:
        ValueError: The factor is negative or not a number.

    Source: Keras's page "Layer weight regularizers".

    >>> float(L2(0.5)(jnp.array([1.0, -3.0])))
    5.0
    """

    keeps_zeros = True

    traceable_fields = frozenset({"l2"})

    l2: float = 0.01

    def __post_init__(self) -> None:
        self.l2 = _factor(self, "l2", self.l2, 0.01)

    def __call__(self, x: Array) -> Array:
        """Return the penalty of an array."""
        return self.l2 * jnp.sum(jnp.square(_at_least_float32(x)))


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x ** 2)`.

    Args:
        l1: Factor of the first sum, at least 0; None means 0.
        l2: Factor of the second sum, at least 0; None means 0.

    Raises:
        ValueError: A factor is negative or not a number.

    Source: Keras's page "Layer weight regularizers".

    >>> float(L1L2(l1=0.5, l2=0.5)(jnp.array([1.0, -3.0])))
    7.0
    """

    traceable_fields = frozenset({"l1", "l2"})

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        self.l1 = _factor(self, "l1", self.l1, 0.0)
        self.l2 = _factor(self, "l2", self.l2, 0.0)

    @property
    def keeps_zeros(self) -> bool:
        """Whether `l1` is 0: JAX's gradient of |x| at 0 is 1, which would change zeros."""
        return not is_nonzero(self.l1)

    def __call__(self, x: Array) -> Array:
        """Return the penalty of an array."""
        x = _at_least_float32(x)
        return self.l1 * jnp.sum(jnp.abs(x)) + self.l2 * jnp.sum(jnp.square(x))


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean of `|cosine|` over all pairs of rows (or columns) of a matrix.

    It drives the rows (or columns) to be orthogonal to each other.

    Args:
        factor: At least 0.
        mode: "rows" or "columns".

    Raises:
        ValueError: The factor is negative or not a number, the mode is unknown, or the array is not
            a matrix with at least two rows (or columns).

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
        rows = _at_least_float32(x if self.mode == "rows" else x.T)
        count = len(rows)
        if count < 2:
            raise ValueError(
                f"`OrthogonalRegularizer` needs at least two {self.mode}, received a matrix of "
                f"shape {x.shape}."
            )
        # The direction of a row shorter than 1e-7 is noise, so it is not scaled to length 1.
        squares = jnp.maximum(jnp.sum(jnp.square(rows), axis=1, keepdims=True), 1e-14)
        rows = rows * jax.lax.rsqrt(squares)
        cosines = jnp.abs(rows @ rows.T) * (1.0 - jnp.eye(count))
        # `cosines` contains each pair twice.
        return self.factor * jnp.sum(cosines) / (count * (count - 1))


# Keras's snake-case names of the classes.
l1 = L1
l1_l2 = L1L2
l2 = L2
orthogonal_regularizer = OrthogonalRegularizer

_registry = Registry("regularizer", [L1, L1L2, L2, OrthogonalRegularizer], {"l1_l2": L1L2})


def get(identifier: Identifier) -> Callable[[Array], Array] | None:
    """Return the regularizer for an identifier, or None for None.

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


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the regularizer that `serialize` described.

    >>> deserialize(serialize(L2(0.5))) == L2(0.5)
    True
    """
    return _registry.deserialize(config, custom_objects)


def _factor(owner: Regularizer, argument: str, value: Any, default: Any = None) -> float:
    value = default if value is None else value
    return number_between(type(owner).__name__, argument, value, 0.0)


def _at_least_float32(x: Array) -> Array:
    return jnp.asarray(x, jnp.promote_types(x.dtype, jnp.float32))
