"""Text inputs: their dtype, how to recognize them, and the error for layers that take numbers."""

from typing import Any

import numpy as np

# The dtype of text in specs.
STRING = np.dtypes.StringDType()


def is_text(value: Any) -> bool:
    """Return whether a value is text: a str, bytes, an array of them, or a nested list.

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


def describe_text(value: Any) -> str:
    """Return a short description of text for an error message, with the first item if known.

    >>> describe_text([["so good"], ["so bad"]])
    "text such as 'so good'"
    """
    if isinstance(value, str | bytes | list | tuple | np.ndarray):
        return f"text such as {str(np.asarray(value).ravel()[0])!r}"
    return "text"


def text_input_error(owner: str, value: Any) -> TypeError:
    """Return the error for text passed to a layer that takes numbers.

    >>> print(text_input_error("Dense", ["so good"]))
    `Dense` takes numbers, received text such as 'so good'. Convert it to numbers first: sentences \
by `fjax.layers.TextVectorization`, categories by `fjax.layers.StringLookup`.
    """
    return TypeError(f"`{owner}` takes numbers, received {describe_text(value)}. {TEXT_HINT}")


TEXT_HINT = (
    "Convert it to numbers first: sentences by `fjax.layers.TextVectorization`, categories by "
    "`fjax.layers.StringLookup`."
)
