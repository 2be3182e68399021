"""Placeholder sizes of axes of any size, at which shapes are evaluated."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax

# Two pairs of placeholder sizes, for the batch axis and for axes of any size (None). Shapes are
# evaluated abstractly at both; an axis whose size differs between the two is of any size. The
# placeholders are large so that any kernel or window fits. Those of the batch are larger than one,
# so that `squeeze` keeps the batch axis, and primes, so that they are hardly ever declared.
PLACEHOLDER_SIZES = ((11, 256), (13, 512))


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


@contextmanager
def explain_placeholder_sizes(
    shapes: Callable[[], Iterable[Sequence[int | None]]],
) -> Iterator[None]:
    """Add a note to errors that explains placeholder sizes, if any shape has an axis of None."""
    try:
        yield
    except Exception as error:
        if any(None in shape for shape in shapes()):
            sizes = " and ".join(str(size) for _, size in PLACEHOLDER_SIZES)
            error.add_note(f"The sizes {sizes} stand for an axis of any size, declared as None.")
        raise


def merge_shapes(first: Sequence[int], second: Sequence[int]) -> tuple[int | None, ...]:
    """Return a shape evaluated at both `PLACEHOLDER_SIZES`, with None where the two differ.

    >>> merge_shapes((11, 256, 3), (13, 512, 3))
    (None, None, 3)
    """
    return tuple(a if a == b else None for a, b in zip(first, second, strict=True))
