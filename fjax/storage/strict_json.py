"""JSON as files of ours hold it: every key once, every number finite."""

import json
import math
from typing import Any

# What JSON has no number for, by the names that Python prints.
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def dumped(value: Any) -> str:
    """Return plain data as JSON.

    >>> dumped({"units": 3, "rate": 0.5})
    '{"units":3,"rate":0.5}'
    """
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def parsed(text: str | bytes) -> Any:
    """Return the plain data of JSON.

    Raises:
        ValueError: It is no JSON, names a key twice, is nested too deeply, or has a number that is
            not finite.

    >>> parsed('{"units": 3, "units": 4}')
    Traceback (most recent call last):
        ...
    ValueError: the key 'units' stands twice in one object
    """
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:80]!r} stands twice in one object")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:40]} is too large")
    return value
