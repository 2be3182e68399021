"""Constraints: functions applied to a weight after each training step, with Keras's names.

    weight = constraint(weight)

Any function from an array to an array of the same shape is a constraint too. Argument `axis` names
the axes over which a norm is summed: 0 for a kernel of `Dense`, `(features, units)`, gives each
unit its norm; `(0, 1, 2)` does so for a kernel of `Conv2D`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from fjax.configuration import Configured
from fjax.errors import is_integer, number_between
from fjax.registry import Registry, serializer
from fjax.typing import Array, Identifier

serialize = serializer("constraint")

# Added to a norm before dividing by it, as in Keras.
_EPSILON = 1e-7


class Constraint(Configured):
    """Base class of constraints: a subclass lists its fields and defines `__call__`.

    >>> class Between(Constraint):
    ...     bound: float = 1.0
    ...
    ...     def __call__(self, w):
    ...         return jnp.clip(w, -self.bound, self.bound)
    >>> print(Between(0.5)(jnp.array([0.25, -3.0])))
    [ 0.25 -0.5 ]
    """

    def __call__(self, w: Array) -> Array:
        """Return the constrained weight, in the same shape."""
        raise NotImplementedError(f"`{type(self).__name__}` must define `__call__(self, w)`.")


class MaxNorm(Constraint):
    """Scale weights whose norm is above `max_value` down to that norm.

    Args:
        max_value: The largest norm, at least 0.
        axis: The axis or axes over which a norm is summed; None means all.

    Raises:
        ValueError: `max_value` is negative or not a number, or `axis` is not an integer or not an
            axis of the weight.

    Source: Srivastava et al., "Dropout", JMLR 15 (2014); Keras's page "Layer weight constraints".

    >>> print(MaxNorm(1.0)(jnp.array([[3.0, 0.3], [4.0, 0.4]])).round(3))
    [[0.6 0.3]
     [0.8 0.4]]
    """

    keeps_zeros = True

    max_value: float = 2
    axis: int | Sequence[int] | None = 0

    def __post_init__(self) -> None:
        self.max_value = number_between("MaxNorm", "max_value", self.max_value, 0.0)
        self.axis = _check_axis(self, self.axis)

    def __call__(self, w: Array) -> Array:
        """Return the weight with norms of at most `max_value`."""
        norms = _norms(self, w, self.axis)
        return _scaled(w, jnp.minimum(norms, self.max_value) / (_EPSILON + norms))


class NonNeg(Constraint):
    """Set negative entries to 0.

    Source: Keras's page "Layer weight constraints".

    >>> print(NonNeg()(jnp.array([1.0, -2.0])))
    [1. 0.]
    """

    keeps_zeros = True

    def __call__(self, w: Array) -> Array:
        """Return the weight without negative entries."""
        return jnp.maximum(w, 0)


class UnitNorm(Constraint):
    """Scale weights to norm 1.

    Args:
        axis: The axis or axes over which a norm is summed; None means all.

    Raises:
        ValueError: `axis` is not an integer, or not an axis of the weight.

    Source: Keras's page "Layer weight constraints".

    >>> print(UnitNorm()(jnp.array([[3.0, 0.3], [4.0, 0.4]])).round(3))
    [[0.6 0.6]
     [0.8 0.8]]
    """

    keeps_zeros = True

    axis: int | Sequence[int] | None = 0

    def __post_init__(self) -> None:
        self.axis = _check_axis(self, self.axis)

    def __call__(self, w: Array) -> Array:
        """Return the weight with norms of 1."""
        return _scaled(w, 1.0 / (_EPSILON + _norms(self, w, self.axis)))


class MinMaxNorm(Constraint):
    """Scale weights whose norm is outside of `[min_value, max_value]` toward that range.

    The norm becomes `rate * clip(norm, min_value, max_value) + (1 - rate) * norm`.

    Args:
        min_value: The smallest norm, at least 0.
        max_value: The largest norm, at least `min_value`.
        rate: The fraction of the distance to the range that each step takes, in [0, 1].
        axis: The axis or axes over which a norm is summed; None means all.

    Raises:
        ValueError: A number is out of its range, or `axis` is not an integer or not an axis of the
            weight.

    Source: Keras's page "Layer weight constraints".

    >>> print(MinMaxNorm(1.0, 2.0)(jnp.array([[3.0, 0.3], [4.0, 0.4]])).round(3))
    [[1.2 0.6]
     [1.6 0.8]]
    """

    keeps_zeros = True

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: int | Sequence[int] | None = 0

    def __post_init__(self) -> None:
        owner = "MinMaxNorm"
        self.min_value = number_between(owner, "min_value", self.min_value, 0.0)
        self.max_value = number_between(owner, "max_value", self.max_value, self.min_value)
        self.rate = number_between(owner, "rate", self.rate, 0.0, 1.0)
        self.axis = _check_axis(self, self.axis)

    def __call__(self, w: Array) -> Array:
        """Return the weight with its norms in the range, or nearer to it."""
        norms = _norms(self, w, self.axis)
        bounded = jnp.clip(norms, self.min_value, self.max_value)
        desired = self.rate * bounded + (1.0 - self.rate) * norms
        return _scaled(w, desired / (_EPSILON + norms))


# Keras's snake-case names of the classes.
max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

_registry = Registry("constraint", [MaxNorm, MinMaxNorm, NonNeg, UnitNorm])


def get(identifier: Identifier) -> Callable[[Array], Array] | None:
    """Return the constraint for an identifier, or None for None.

    Args:
        identifier: A name, a class, `{"class_name": …, "config": …}`, a constraint, a function of
            one array, or None.

    Raises:
        ValueError: The name is unknown; the nearest known one is suggested.
        TypeError: The identifier is none of these.

    >>> get("non_neg"), get(MaxNorm(3)), get(None)
    (NonNeg(), MaxNorm(max_value=3.0), None)
    """
    if identifier is None:
        return None
    constraint = _registry.get(identifier)
    if isinstance(constraint, Configured) and not isinstance(constraint, Constraint):
        raise TypeError(f"Expected a constraint such as `MaxNorm(2)`, received {constraint!r}.")
    return constraint


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the constraint that `serialize` described.

    >>> deserialize(serialize(NonNeg())) == NonNeg()
    True
    """
    return _registry.deserialize(config, custom_objects)


def _check_axis(owner: Constraint, axis: Any) -> int | tuple[int, ...] | None:
    axes = axis if isinstance(axis, list | tuple) else [axis]
    if axis is not None and not all(map(is_integer, axes)):
        raise ValueError(
            f"`{type(owner).__name__}`: `axis` must be an integer or a list of integers, "
            f"received {axis!r}."
        )
    return tuple(axis) if isinstance(axis, list | tuple) else axis


def _norms(owner: Constraint, w: Array, axis: Any) -> Array:
    axes = () if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if not all(-w.ndim <= number < w.ndim for number in axes):
        raise ValueError(
            f"`{type(owner).__name__}`: a weight of shape {w.shape} has no axis {axis}."
        )
    values = w.astype(jnp.promote_types(w.dtype, jnp.float32))
    return jnp.sqrt(jnp.sum(jnp.square(values), axis=axis, keepdims=True))


def _scaled(w: Array, factor: Array) -> Array:
    return (w * factor).astype(w.dtype)
