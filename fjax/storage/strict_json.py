"""JSON without duplicate keys and without non-finite numbers."""

import json
import math
from typing import Any

# The numbers that JSON cannot represent, by the names that Python prints.
NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def dump_json(value: Any) -> str:
    """Return plain data as JSON.

    >>> dump_json({"units": 3, "rate": 0.5})
    '{"units":3,"rate":0.5}'
    """
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def parse_json(text: str | bytes) -> Any:
    """Return the plain data of a JSON text.

    Raises:
        ValueError: The text is not JSON, repeats a key, is nested too deeply, or contains a number
            that is not finite.

    >>> parse_json('{"units": 3, "units": 4}')
    Traceback (most recent call last):
        ...
    ValueError: the key 'units' appears twice in one object
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_reject_constant,
            parse_float=_finite_float,
        )
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key[:80]!r} appears twice in one object")
        result[key] = value
    return result


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not valid JSON")


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:40]} is too large")
    return value
