"""The key of a hash."""

from typing import Any

from fjax.errors import integer_at_least


def salt_of(owner: str, salt: Any) -> tuple[int, int] | None:
    """Return a salt as the two integers of a key.

    >>> salt_of("Hashing", 133)
    (133, 133)
    """
    if salt is None:
        return None
    pair = tuple(salt) if isinstance(salt, list | tuple) else (salt, salt)
    if len(pair) != 2:
        raise ValueError(
            f"`{owner}`: `salt` must be an integer, or two of them, received {salt!r}."
        )
    return (
        integer_at_least(owner, "salt", pair[0], 0),
        integer_at_least(owner, "salt", pair[1], 0),
    )
