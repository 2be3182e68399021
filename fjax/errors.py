"""Messages: who (layer or argument), what came, what was expected, what to do."""

import difflib
import functools
import inspect
import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean `…`?" for the nearest known name, or an empty string.

    >>> suggestion("rleu", ["relu", "tanh"])
    ' Did you mean `relu`?'
    """
    spelt = {candidate.lower(): candidate for candidate in sorted(known)}
    nearest = difflib.get_close_matches(name.lower(), spelt, n=1, cutoff=0.6)
    return f" Did you mean `{spelt[nearest[0]]}`?" if nearest else ""


def unknown_name(family: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error for a name that a family does not know.

    >>> str(unknown_name("optimizer", "adm", ["adam", "sgd"]))
    "Unknown optimizer 'adm'. Did you mean `adam`?"
    >>> str(unknown_name("optimizer", "best", ["adam", "sgd"]))
    "Unknown optimizer 'best'. Known: adam, sgd."
    """
    known = sorted(known)
    hint = suggestion(name, known) or f" Known: {', '.join(known)}."
    return ValueError(f"Unknown {family} {name!r}.{hint}")


def check_keywords(owner: str, given: Iterable[str], accepted: Iterable[str]) -> None:
    """Raise TypeError when a keyword is not accepted, with the nearest that is.

    >>> check_keywords("SGD", ["momentun"], ["momentum", "nesterov"])
    Traceback (most recent call last):
        ...
    TypeError: `SGD` takes no argument `momentun`. Did you mean `momentum`? It takes: momentum...
    """
    accepted = list(accepted)
    for name in given:
        if name not in accepted:
            takes = f"It takes: {', '.join(accepted)}." if accepted else "It takes none."
            raise TypeError(
                f"`{owner}` takes no argument `{name}`.{suggestion(name, accepted)} {takes}"
            )


def explain_keywords(function: Function) -> Function:
    """Decorate a public method so that a misspelt keyword is answered with the nearest name."""
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not kwargs.keys() <= set(parameters):
            check_keywords(function.__qualname__, kwargs, parameters)
        return function(*args, **kwargs)

    return checked  # type: ignore[return-value]


def is_integer(value: Any) -> bool:
    """Tell whether a value is a whole number in type (a bool is not)."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)


def is_number(value: Any) -> bool:
    """Tell whether a value is one finite real number (a bool is not)."""
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, numbers.Real) and math.isfinite(value)


def integer_at_least(owner: str, argument: str, value: Any, minimum: int) -> int:
    """Return `value` as an int, or raise: it must be whole and not below `minimum`.

    >>> integer_at_least("Dense", "units", 0, 1)
    Traceback (most recent call last):
        ...
    ValueError: `Dense`: `units` must be an integer of at least 1, received 0.
    """
    if not is_integer(value) or value < minimum:
        raise ValueError(
            f"`{owner}`: `{argument}` must be an integer of at least {minimum}, received {value!r}."
        )
    return int(value)


def seed_of(owner: str, value: Any) -> int:
    """Return a seed as an int, or raise: it must be whole, from 0 to 2**32 - 1.

    JAX would take a larger one modulo 2**32 without a word.

    >>> seed_of("Dropout", -1)
    Traceback (most recent call last):
        ...
    ValueError: `Dropout`: `seed` must be an integer from 0 to 2**32 - 1, received -1.
    """
    if is_integer(value) and 0 <= value < 2**32:
        return int(value)
    raise ValueError(
        f"`{owner}`: `seed` must be an integer from 0 to 2**32 - 1, received {value!r}."
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
    """Return `value` as a float, or raise: it must be one finite number from `low` to `high`.

    The bounds belong to the range unless `open_low` or `open_high` says otherwise.

    >>> number_between("Dropout", "rate", 50, 0.0, 1.0)
    Traceback (most recent call last):
        ...
    ValueError: `Dropout`: `rate` must be a number in [0, 1], received 50.
    """
    ok = is_number(value) and low <= value <= high
    if ok and not (open_low and value == low) and not (open_high and value == high):
        return float(value)
    left = "(" if open_low else "["
    right = ")" if open_high or math.isinf(high) else "]"
    bounds = f"{left}{low:g}, {high:g}{right}"
    raise ValueError(f"`{owner}`: `{argument}` must be a number in {bounds}, received {value!r}.")


def one_of(owner: str, argument: str, value: Any, allowed: Iterable[Any]) -> Any:
    """Return `value`, or raise: it must be one of the `allowed` values.

    >>> one_of("AUC", "curve", "RCO", ["ROC", "PR"])
    Traceback (most recent call last):
        ...
    ValueError: `AUC`: `curve` must be one of 'ROC', 'PR', received 'RCO'. Did you mean `ROC`?
    """
    allowed = list(allowed)
    if value in allowed:
        return value
    near = (
        suggestion(value, [a for a in allowed if isinstance(a, str)])
        if isinstance(value, str)
        else ""
    )
    choices = ", ".join(repr(a) for a in allowed)
    raise ValueError(f"`{owner}`: `{argument}` must be one of {choices}, received {value!r}.{near}")
