"""Traits: properties that a class or function of fjax declares by an attribute.

A trait that is not declared is assumed to be absent, which is always safe.

- `rows_independent`: each row of the outputs depends only on the same row of the inputs.
- `rows_independent_in_inference`: likewise, but only outside of training.
- `entrywise`: each entry of the outputs depends only on the same entry along the last axis of the
  inputs.
- `keeps_zeros`: entries of a weight that are 0, with gradients of 0, stay 0 in training.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from fjax.configuration import is_as_defined, is_library_function

Function = TypeVar("Function", bound=Callable[..., Any])


def has_trait(thing: Any, trait: str) -> bool:
    """Return whether an object or function has a trait.

    A user's subclass does not inherit traits, since it may compute something else. A patched class
    of fjax has no traits.

    >>> from fjax.layers import Dense
    >>> class Mixing(Dense): ...
    >>> has_trait(Dense(2), "rows_independent"), has_trait(Mixing(2), "rows_independent")
    (True, False)
    """
    if isinstance(thing, FunctionType):
        # `functools.wraps` copies the attributes of fjax's functions to a user's function.
        return is_library_function(thing) and bool(getattr(thing, trait, False))
    cls = type(thing)
    is_ours = cls.__module__.split(".")[0] == "fjax"
    is_declared = is_as_defined(cls) if is_ours else trait in vars(cls)
    return is_declared and bool(getattr(thing, trait, False))


def entrywise(function: Function) -> Function:
    """Declare that a function works entry by entry; a decorator."""
    function.entrywise = function.rows_independent = True  # type: ignore[attr-defined]
    return function


def rows_independent(function: Function) -> Function:
    """Declare that a function processes each row independently; a decorator."""
    function.rows_independent = True  # type: ignore[attr-defined]
    return function


def within_rows(*axes: Any) -> bool:
    """Return whether axes, or sequences of axes, are known not to be the batch axis.

    A negative axis other than -1 may be the batch axis, depending on the number of axes.

    >>> within_rows(-1, None), within_rows(1, [2, -1]), within_rows(0), within_rows([-2, -1])
    (True, True, False, False)
    """
    groups = (axis if isinstance(axis, list | tuple) else (axis,) for axis in axes)
    return all(axis is None or axis == -1 or axis > 0 for group in groups for axis in group)
