"""The `axis` argument of layers: checks, and its meaning for inputs of one shape."""

from typing import Any

from fjax.errors import is_integer
from fjax.typing import Shape


def parse_axis(owner: str, axis: Any) -> int | tuple[int, ...]:
    """Return `axis` as an int, or as a tuple if it is a sequence; raise if it holds anything else.

    >>> parse_axis("LayerNormalization", [1, 2])
    (1, 2)
    >>> parse_axis("LayerNormalization", "last")
    Traceback (most recent call last):
        ...
    ValueError: `LayerNormalization`: `axis` must be an integer or a list of them, received 'last'.
    """
    is_sequence = isinstance(axis, list | tuple)
    items = axis if is_sequence else (axis,)
    if not items or not all(is_integer(item) for item in items):
        raise ValueError(
            f"`{owner}`: `axis` must be an integer or a list of them, received {axis!r}."
        )
    axes = tuple(int(item) for item in items)
    return axes if is_sequence else axes[0]


def positive_axes(owner: str, axis: int | tuple[int, ...], shape: Shape) -> tuple[int, ...]:
    """Return the axes counted from 0 and sorted; raise if one is out of range or repeated.

    >>> positive_axes("LayerNormalization", (-1, 1), (32, 5, 3))
    (1, 2)
    >>> positive_axes("LayerNormalization", 3, (32, 5, 3))
    Traceback (most recent call last):
        ...
    ValueError: `LayerNormalization` needs inputs (batch, …) with an axis 3 after the batch axis,
    received shape (32, 5, 3).
    """
    rank = len(shape)
    requested = axis if isinstance(axis, tuple) else (axis,)
    for item in requested:
        if not -rank < item < rank or item == 0:
            raise ValueError(
                f"`{owner}` needs inputs (batch, …) with an axis {item} after the batch axis, "
                f"received shape {tuple(shape)}."
            )
    axes = sorted({item % rank for item in requested})
    if len(axes) < len(requested):
        raise ValueError(
            f"`{owner}`: `axis` {requested} lists an axis of inputs of shape {tuple(shape)} twice: "
            "list each axis once."
        )
    return tuple(axes)


def broadcast_shape(axes: tuple[int, ...], shape: Shape) -> Shape:
    """Return the shape with size 1 on every axis that is not in `axes`, to broadcast a weight.

    >>> broadcast_shape((1,), (32, 5, 3))
    (1, 5, 1)
    """
    return tuple(size if axis in axes else 1 for axis, size in enumerate(shape))
