"""Placeholder sizes of axes of any size, at which shapes are evaluated."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import jax

# Two pairs of placeholder sizes, for the batch axis and for axes of any size (None). Shapes are
# evaluated abstractly at both; an axis whose size differs between the two is of any size. The
# placeholders are large so that any kernel or window fits. Those of the batch are larger than one,
# so that `squeeze` keeps the batch axis, and primes, so that they are hardly ever declared.
PLACEHOLDER_SIZES = ((11, 256), (13, 512))

Result = TypeVar("Result")

_NUMBER = re.compile(r"(\d+)")


def placeholder_spec(
    shape: Sequence[int | None], dtype: Any, which: int, batch_size: int | None = None
) -> jax.ShapeDtypeStruct:
    """Return the spec of a batch of samples of a shape, at one of the `PLACEHOLDER_SIZES`.

    >>> placeholder_spec((None, 3), "float32", 0)
    ShapeDtypeStruct(shape=(11, 256, 3), dtype=float32)
    >>> placeholder_spec((None, 3), "float32", 1, batch_size=8).shape
    (8, 512, 3)
    """
    batch, placeholder = PLACEHOLDER_SIZES[which]
    sizes = (placeholder if size is None else size for size in shape)
    return jax.ShapeDtypeStruct((batch_size or batch, *sizes), dtype)


# Whether shapes are being evaluated, without values.
_IS_ABSTRACT: ContextVar[bool] = ContextVar("is_abstract", default=False)


@contextmanager
def abstract_evaluation() -> Iterator[None]:
    """Evaluate shapes in this context, where sizes may be placeholders."""
    token = _IS_ABSTRACT.set(True)
    try:
        yield
    finally:
        _IS_ABSTRACT.reset(token)


def is_abstract() -> bool:
    """Tell whether only shapes are being evaluated, so that values are never used."""
    return _IS_ABSTRACT.get()


def known_sizes(shape: Sequence[int]) -> tuple[int | None, ...]:
    """Return a shape, with None for placeholder sizes where only shapes are being evaluated.

    >>> with abstract_evaluation():
    ...     known_sizes((11, 256, 3))
    (None, None, 3)
    >>> known_sizes((11, 256, 3))
    (11, 256, 3)
    """
    if not shape or not is_abstract():
        return tuple(shape)
    batches, sizes = zip(*PLACEHOLDER_SIZES, strict=True)
    batch = None if shape[0] in batches else shape[0]
    return batch, *(None if size in sizes else size for size in shape[1:])


def at_placeholder_sizes(evaluate: Callable[[int], Result], which: int = 0) -> Result:
    """Return `evaluate(which)`, an evaluation at one of the `PLACEHOLDER_SIZES`.

    In the message of an error, sizes that differ between the two evaluations are None.

    >>> def evaluate(which):
    ...     raise ValueError(f"received {placeholder_spec((None, 3), 'float32', which).shape}")
    >>> at_placeholder_sizes(evaluate)
    Traceback (most recent call last):
        ...
    ValueError: received (None, None, 3)
    """
    try:
        return evaluate(which)
    except Exception as error:
        _replace_placeholder_sizes(error, _error_of(evaluate, 1 - which))
        raise


def _error_of(evaluate: Callable[[int], Any], which: int) -> Exception | None:
    try:
        evaluate(which)
    except Exception as error:
        return error
    return None


def _replace_placeholder_sizes(error: Exception, other: Exception | None) -> None:
    """Write None for the numbers in which the messages of two evaluations differ."""
    notes, other_notes = (getattr(each, "__notes__", []) for each in (error, other))
    is_text = other is not None and [*error.args[:1]] == [str(error)]
    message = merge_messages(str(error), str(other)) if is_text else None
    merged = [merge_messages(*pair) for pair in zip(notes, other_notes, strict=False)]
    if message is None or None in merged or len(notes) != len(other_notes):
        sizes = ", ".join(str(size) for pair in PLACEHOLDER_SIZES for size in pair)
        error.add_note(f"Some of the sizes {sizes} may stand for axes of any size, declared None.")
        return
    error.args = (message, *error.args[1:])
    notes[:] = merged


def merge_messages(first: str, second: str) -> str | None:
    """Return a message of both evaluations, with None for each number in which the two differ.

    The result is None if they differ in more than numbers.

    >>> merge_messages("a batch of 11 rows of 3", "a batch of 13 rows of 3")
    'a batch of None rows of 3'
    """
    texts, others = (_NUMBER.split(message) for message in (first, second))
    if texts[::2] != others[::2]:
        return None
    return "".join(a if a == b else "None" for a, b in zip(texts, others, strict=True))


def merge_shapes(first: Sequence[int], second: Sequence[int]) -> tuple[int | None, ...]:
    """Return a shape evaluated at both `PLACEHOLDER_SIZES`, with None where the two differ.

    >>> merge_shapes((11, 256, 3), (13, 512, 3))
    (None, None, 3)
    """
    return tuple(a if a == b else None for a, b in zip(first, second, strict=True))
