"""Arguments of layers that go over the axes between batch and channels."""

from typing import Any

from fjax.errors import is_integer, one_of
from fjax.typing import Shape

NAMES = {1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def checked_format(owner: str, value: Any) -> str:
    """Return where the channels stand, or raise; None is "channels_last"."""
    value = "channels_last" if value is None else value
    return str(one_of(owner, "data_format", value, ["channels_last", "channels_first"]))


def pairs(owner: str, argument: str, value: Any, axes: int) -> tuple[tuple[int, int], ...]:
    """Return for each axis what to do before and behind it, or raise.

    One number is for all axes and ends; of several, one an axis, each is a number for both of its
    ends or a pair. For a single axis the pair may stand by itself.

    >>> pairs("ZeroPadding2D", "padding", (1, (2, 3)), 2)
    ((1, 1), (2, 3))
    >>> pairs("ZeroPadding1D", "padding", (2, 3), 1)
    ((2, 3),)
    >>> pairs("ZeroPadding2D", "padding", -1, 2)
    Traceback (most recent call last):
        ...
    ValueError: `ZeroPadding2D`: `padding` must be an integer of at least 0, one for each of
    (height, width), or a pair for each, received -1.
    """
    found: list[Any] = [value] * axes if is_integer(value) else [value] if axes == 1 else []
    if not found and isinstance(value, list | tuple):
        found = list(value)
    both = [(one, one) if is_integer(one) else one for one in found]
    fits = len(both) == axes and all(
        isinstance(pair, list | tuple)
        and len(pair) == 2
        and all(is_integer(size) and size >= 0 for size in pair)
        for pair in both
    )
    if not fits:
        each = "or a pair for (before, behind)"
        if axes > 1:
            each = f"one for each of ({', '.join(NAMES[axes])}), or a pair for each"
        raise ValueError(
            f"`{owner}`: `{argument}` must be an integer of at least 0, {each}, received {value!r}."
        )
    return tuple((int(before), int(behind)) for before, behind in both)


def around(data_format: str | None, found: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """Return pairs for all axes of inputs: nothing for batch and channels.

    >>> around("channels_first", ((1, 2),))
    [(0, 0), (0, 0), (1, 2)]
    """
    nothing = (0, 0)
    if data_format == "channels_first":
        return [nothing, nothing, *found]
    return [nothing, *found, nothing]


def check_rank(owner: str, shape: Shape, axes: int, data_format: str | None) -> None:
    """Raise unless inputs have these axes, and those of batch and channels.

    >>> check_rank("Conv2D", (32, 28, 28), 2, None)
    Traceback (most recent call last):
        ...
    ValueError: `Conv2D` needs inputs of shape (batch, height, width, channels), received
    (32, 28, 28). If it is the channel axis that is missing, add it: `x[..., None]`.
    """
    if len(shape) == axes + 2:
        return
    between = ", ".join(NAMES[axes])
    first = data_format == "channels_first"
    order = f"batch, channels, {between}" if first else f"batch, {between}, channels"
    hint = ""
    if len(shape) == axes + 1:
        missing = "x[:, None]" if first else "x[..., None]"
        hint = f" If it is the channel axis that is missing, add it: `{missing}`."
    raise ValueError(f"`{owner}` needs inputs of shape ({order}), received {tuple(shape)}.{hint}")
