"""The axes that a normalization goes over: checked when a layer is made, placed when it is used."""

from typing import Any

from fjax.errors import is_integer
from fjax.typing import Shape


def checked_axes(owner: str, axis: Any) -> int | tuple[int, ...]:
    """Return an axis as an int, or several as a tuple, or raise: they must be whole.

    >>> checked_axes("LayerNormalization", [1, 2])
    (1, 2)
    >>> checked_axes("LayerNormalization", "last")
    Traceback (most recent call last):
        ...
    ValueError: `LayerNormalization`: `axis` must be an integer or a list of them, received 'last'.
    """
    several = axis if isinstance(axis, list | tuple) else (axis,)
    if not several or not all(is_integer(one) for one in several):
        raise ValueError(
            f"`{owner}`: `axis` must be an integer or a list of them, received {axis!r}."
        )
    axes = tuple(int(one) for one in several)
    return axes if isinstance(axis, list | tuple) else axes[0]


def placed_axes(owner: str, axis: int | tuple[int, ...], shape: Shape) -> tuple[int, ...]:
    """Return axes counted from 0 and sorted, or raise: the inputs must have each, and have it once.

    >>> placed_axes("LayerNormalization", (-1, 1), (32, 5, 3))
    (1, 2)
    >>> placed_axes("LayerNormalization", 3, (32, 5, 3))
    Traceback (most recent call last):
        ...
    ValueError: `LayerNormalization` needs inputs (batch, …) with the axis 3 behind the batch axis,
    received (32, 5, 3).
    """
    rank = len(shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    for one in axes:
        if not -rank < one < rank or one == 0:
            raise ValueError(
                f"`{owner}` needs inputs (batch, …) with the axis {one} behind the batch axis, "
                f"received {tuple(shape)}."
            )
    places = sorted({one % rank for one in axes})
    if len(places) < len(axes):
        raise ValueError(
            f"`{owner}`: `axis` {axes} names an axis of inputs {tuple(shape)} twice: name it once."
        )
    return tuple(places)


def along(places: tuple[int, ...], shape: Shape) -> Shape:
    """Return the shape with 1 for every axis but these: that of a weight to broadcast.

    >>> along((1,), (32, 5, 3))
    (1, 5, 1)
    """
    return tuple(size if place in places else 1 for place, size in enumerate(shape))
