"""Text where arrays are: told apart from numbers, and what stands for it in an abstract pass."""

from typing import Any

import numpy as np

STRING = np.dtypes.StringDType()


def is_text(value: Any) -> bool:
    """Tell whether a value is text: a str, an array of them, or a nested list.

    >>> is_text(np.array(["a", "b"])), is_text([["a"]]), is_text(np.array([1])), is_text([])
    (True, True, False, False)
    """
    if isinstance(value, str | bytes):
        return True
    if isinstance(value, list | tuple):
        return len(value) > 0 and is_text(value[0])
    dtype = getattr(value, "dtype", None)
    if dtype is None or not hasattr(dtype, "kind"):
        return False
    if dtype.kind == "O":
        items = np.asarray(value, object).ravel()
        return len(items) > 0 and all(isinstance(item, str | bytes) for item in items)
    return dtype.kind in "UST"


def described(value: Any) -> str:
    """Return what a message says of text: the first one, where they are there.

    >>> described([["so good"], ["so bad"]])
    "text such as 'so good'"
    """
    there = isinstance(value, str | bytes | list | tuple | np.ndarray)
    return f"text such as {str(np.asarray(value).ravel()[0])!r}" if there else "text"


def takes_numbers(owner: str, value: Any) -> TypeError:
    """Return the error for text that was given to a layer on numbers.

    >>> print(takes_numbers("Dense", ["so good"]))
    `Dense` takes numbers, received text such as 'so good'. Make numbers of it first: sentences by \
`fjax.layers.TextVectorization`, categories by `fjax.layers.StringLookup`.
    """
    return TypeError(f"`{owner}` takes numbers, received {described(value)}. {MAKE_NUMBERS}")


MAKE_NUMBERS = (
    "Make numbers of it first: sentences by `fjax.layers.TextVectorization`, categories by "
    "`fjax.layers.StringLookup`."
)
