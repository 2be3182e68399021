"""Text where arrays are: told apart from numbers, and what stands for it in an abstract pass."""

from typing import Any

import jax
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


def example_of(value: Any) -> str:
    """Return the first text of a value, for a message.

    >>> example_of([["so good"], ["so bad"]])
    "'so good'"
    """
    return repr(str(np.asarray(value).ravel()[0])) if np.asarray(value).size else "nothing"


def text_spec(shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
    """Return what stands for text of this shape where only shapes count."""
    return jax.ShapeDtypeStruct(shape, STRING)


def takes_numbers(owner: str, value: Any) -> TypeError:
    """Return the error for text that was given to a layer on numbers.

    >>> print(takes_numbers("Dense", ["so good"]))
    `Dense` takes numbers, received text such as 'so good'. Make numbers of it first: sentences by \
`fjax.layers.TextVectorization`, categories by `fjax.layers.StringLookup`.
    """
    return TypeError(
        f"`{owner}` takes numbers, received text such as {example_of(value)}. {MAKE_NUMBERS}"
    )


MAKE_NUMBERS = (
    "Make numbers of it first: sentences by `fjax.layers.TextVectorization`, categories by "
    "`fjax.layers.StringLookup`."
)
