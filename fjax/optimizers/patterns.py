"""Regular expressions that select params by their paths."""

import re
from collections.abc import Sequence
from typing import Any


def matches(patterns: Sequence[str], path: str) -> bool:
    """Tell whether a param's path contains a match of one of the patterns.

    >>> matches(["bias$", "norm"], "dense/bias"), matches(["bias$", "norm"], "bias_net/kernel")
    (True, False)
    """
    return any(re.search(pattern, path) for pattern in patterns)


def check_patterns(owner: str, argument: str, patterns: Any) -> tuple[str, ...]:
    """Return the patterns as a tuple, or raise unless they are a list of regular expressions.

    >>> check_patterns("Muon", "exclude_layers", "output")
    Traceback (most recent call last):
        ...
    ValueError: `Muon`: `exclude_layers` must be a list of regular expressions, received 'output'.
    """
    if patterns is None:
        return ()
    valid = isinstance(patterns, list | tuple | set) and all(isinstance(p, str) for p in patterns)
    if not valid:
        raise ValueError(
            f"`{owner}`: `{argument}` must be a list of regular expressions, received {patterns!r}."
        )
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(
                f"`{owner}`: `{argument}` holds {pattern!r}, which is not a regular expression: "
                f"{error}."
            ) from None
    return tuple(patterns)
