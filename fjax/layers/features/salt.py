"""The `salt` argument of layers that hash."""

from typing import Any

from fjax.errors import integer_at_least


def parse_salt(owner: str, salt: Any) -> tuple[int, int] | None:
    """Return a salt as a SipHash key of two integers; None stays None.

    >>> parse_salt("Hashing", 133)
    (133, 133)
    """
    if salt is None:
        return None
    key = tuple(salt) if isinstance(salt, list | tuple) else (salt, salt)
    if len(key) != 2:
        raise ValueError(
            f"`{owner}`: `salt` must be an integer or a pair of integers, received {salt!r}."
        )
    return (
        integer_at_least(owner, "salt", key[0], 0),
        integer_at_least(owner, "salt", key[1], 0),
    )
