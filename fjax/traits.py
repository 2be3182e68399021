"""Traits: what a class or function of fjax says of itself, so that no list elsewhere names it.

A trait is an attribute of a class, or of a function; without it the safe answer, no, is assumed.

- `rows_independent`: what is made of a row of a batch does not depend on the other rows.
- `entrywise`: what is made of an entry does not depend on the other entries along the last axis.
- `keeps_zeros`: entries of a weight that are 0, with gradients of 0, stay 0.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from fjax.configuration import is_as_defined, is_library_function

Function = TypeVar("Function", bound=Callable[..., Any])


def has_trait(thing: Any, trait: str) -> bool:
    """Tell whether an object or function has a trait.

    A user's subclass may compute otherwise than its base: there only its own word counts, and none
    where a class of fjax was patched.

    >>> from fjax.layers import Dense
    >>> class Mixing(Dense): ...
    >>> has_trait(Dense(2), "rows_independent"), has_trait(Mixing(2), "rows_independent")
    (True, False)
    """
    if isinstance(thing, FunctionType):
        # A function that wraps another has its attributes, too.
        return is_library_function(thing) and bool(getattr(thing, trait, False))
    cls = type(thing)
    is_ours = cls.__module__.split(".")[0] == "fjax"
    says_so = is_as_defined(cls) if is_ours else trait in vars(cls)
    return says_so and bool(getattr(thing, trait, False))


def entrywise(function: Function) -> Function:
    """Decorate a function that makes of each entry of an array something of its own."""
    function.entrywise = function.rows_independent = True  # type: ignore[attr-defined]
    return function


def rows_independent(function: Function) -> Function:
    """Decorate a function that makes of each row of an array something of its own."""
    function.rows_independent = True  # type: ignore[attr-defined]
    return function


def within_rows(*axes: Any) -> bool:
    """Tell whether axes, or sequences of axes, are known not to be that of the batch.

    Counted from the end any other axis than the last may be that of the batch.

    >>> within_rows(-1, None), within_rows(1, [2, -1]), within_rows(0), within_rows([-2, -1])
    (True, True, False, False)
    """
    flat = [one for axis in axes for one in (axis if isinstance(axis, list | tuple) else (axis,))]
    return all(one is None or one == -1 or one > 0 for one in flat)
