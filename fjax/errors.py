"""Checks of arguments and the errors that they raise.

A message names the layer or argument, what was received, what was expected, and what to do.
"""

import difflib
import functools
import importlib
import inspect
import math
import numbers
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean `…`?" with the most similar known name, or an empty string.

    >>> suggestion("rleu", ["relu", "tanh"])
    ' Did you mean `relu`?'
    """
    names = {candidate.lower(): candidate for candidate in sorted(known)}
    nearest = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    return f" Did you mean `{names[nearest[0]]}`?" if nearest else ""


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning that points at the line of the user's code which called fjax."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and _is_inside(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_inside(module: str) -> bool:
    # `contextlib` runs the generators of context managers.
    return module.partition(".")[0] in ("fjax", "contextlib")


def unknown_name(family: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error for a name that is not in a family, with a suggestion or all known names.

    >>> str(unknown_name("optimizer", "adm", ["adam", "sgd"]))
    "Unknown optimizer 'adm'. Did you mean `adam`?"
    >>> str(unknown_name("optimizer", "best", ["adam", "sgd"]))
    "Unknown optimizer 'best'. Known: adam, sgd."
    """
    known = sorted(known)
    hint = suggestion(name, known) or f" Known: {', '.join(known)}."
    return ValueError(f"Unknown {family} {name!r}.{hint}")


def check_keywords(owner: str, keywords: Iterable[str], accepted: Iterable[str]) -> None:
    """Raise TypeError if a keyword is not accepted, and suggest the most similar one that is.

    >>> check_keywords("SGD", ["momentun"], ["momentum", "nesterov"])
    Traceback (most recent call last):
        ...
    TypeError: `SGD` takes no argument `momentun`. Did you mean `momentum`? It takes: momentum...
    """
    accepted = list(accepted)
    for name in keywords:
        if name not in accepted:
            takes = f"It takes: {', '.join(accepted)}." if accepted else "It takes none."
            raise TypeError(
                f"`{owner}` takes no argument `{name}`.{suggestion(name, accepted)} {takes}"
            )


def explain_keywords(function: Function) -> Function:
    """Decorate a public method: its error for a misspelled keyword suggests the right one."""
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not kwargs.keys() <= set(parameters):
            check_keywords(function.__qualname__, kwargs, parameters)
        return function(*args, **kwargs)

    return checked  # type: ignore[return-value]


def import_extra(owner: str, module: str, package: str, extra: str) -> Any:
    """Return a module of an optional package, or raise ImportError that says how to install it.

    Args:
        owner: What needs the package.
        module: The name of the module.
        package: The name under which `pip` installs it.
        extra: The extra of fjax that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"`{owner}` needs {package}: `pip install fjax[{extra}]`, or `pip install {package}`."
        ) from error


def plain(value: Any) -> Any:
    """Return a NumPy scalar as the Python value that messages show; other values as they are.

    >>> repr(plain(np.str_("a")))
    "'a'"
    """
    return value.item() if isinstance(value, np.generic) else value


def is_integer(value: Any) -> bool:
    """Tell whether a value is of an integer type (a bool is not)."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)


def is_number(value: Any) -> bool:
    """Tell whether a value is one finite real number (a bool is not)."""
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, numbers.Real) and math.isfinite(value)


def integer_at_least(owner: str, argument: str, value: Any, minimum: int) -> int:
    """Return `value` as an int, or raise unless it is an integer of at least `minimum`.

    >>> integer_at_least("Dense", "units", 0, 1)
    Traceback (most recent call last):
        ...
    ValueError: `Dense`: `units` must be an integer of at least 1, received 0.
    """
    if not is_integer(value) or value < minimum:
        raise ValueError(
            f"`{owner}`: `{argument}` must be an integer of at least {minimum}, received "
            f"{plain(value)!r}."
        )
    return int(value)


def seed_of(owner: str, value: Any) -> int:
    """Return a seed as an int, or raise unless it is an integer from 0 to 2**32 - 1.

    JAX would take a larger seed modulo 2**32 without warning.

    >>> seed_of("Dropout", -1)
    Traceback (most recent call last):
        ...
    ValueError: `Dropout`: `seed` must be an integer from 0 to 2**32 - 1, received -1.
    """
    if is_integer(value) and 0 <= value < 2**32:
        return int(value)
    raise ValueError(
        f"`{owner}`: `seed` must be an integer from 0 to 2**32 - 1, received {plain(value)!r}."
    )


def number_between(
    owner: str,
    argument: str,
    value: Any,
    low: float,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Return `value` as a float, or raise unless it is a finite number from `low` to `high`.

    The range includes its ends, unless `open_low` or `open_high` excludes one.

    >>> number_between("Dropout", "rate", 50, 0.0, 1.0)
    Traceback (most recent call last):
        ...
    ValueError: `Dropout`: `rate` must be a number in [0, 1], received 50.
    """
    in_range = is_number(value) and low <= value <= high
    if in_range and not (open_low and value == low) and not (open_high and value == high):
        return float(value)
    left = "(" if open_low else "["
    right = ")" if open_high or math.isinf(high) else "]"
    bounds = f"{left}{low:g}, {high:g}{right}"
    raise ValueError(
        f"`{owner}`: `{argument}` must be a number in {bounds}, received {plain(value)!r}."
    )


def one_of(owner: str, argument: str, value: Any, allowed: Iterable[Any]) -> Any:
    """Return `value`, or raise unless it is one of the `allowed` values.

    >>> one_of("AUC", "curve", "RCO", ["ROC", "PR"])
    Traceback (most recent call last):
        ...
    ValueError: `AUC`: `curve` must be one of 'ROC', 'PR', received 'RCO'. Did you mean `ROC`?
    """
    allowed = list(allowed)
    if value in allowed:
        return value
    hint = ""
    if isinstance(value, str):
        hint = suggestion(value, [choice for choice in allowed if isinstance(choice, str)])
    choices = ", ".join(map(repr, allowed))
    raise ValueError(
        f"`{owner}`: `{argument}` must be one of {choices}, received {plain(value)!r}.{hint}"
    )
