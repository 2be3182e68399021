"""Layers with spatial axes, those between the batch and the channel axis, and their arguments."""

from typing import Any, ClassVar

from fjax.errors import is_integer, one_of
from fjax.layers.array_layer import ArrayLayer
from fjax.typing import Shape

AXIS_NAMES = {1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}


class SpatialLayer(ArrayLayer):
    """Base class of the layers with spatial axes; `rank` is their number.

    A subclass has the field `data_format`.
    """

    rows_independent = True

    rank: ClassVar[int]

    def __post_init__(self) -> None:
        super().__post_init__()
        layer: Any = self
        layer.data_format = resolve_data_format(self.kind, layer.data_format)

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless inputs have the axes that the layer needs."""
        check_rank(self.kind, shape, self.rank, self.data_format)


def resolve_data_format(owner: str, value: Any) -> str:
    """Return the position of the channel axis, or raise; None means "channels_last"."""
    value = "channels_last" if value is None else value
    return str(one_of(owner, "data_format", value, ["channels_last", "channels_first"]))


def resolve_pairs(owner: str, argument: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """Return a pair (before, after) for each spatial axis, or raise.

    Args:
        owner: The layer that an error names.
        argument: The argument that an error names.
        value: An integer for both ends of all axes; or for each axis an integer for both of its
            ends, or a pair. For a single axis also the pair itself.
        rank: The number of spatial axes.

    >>> resolve_pairs("ZeroPadding2D", "padding", (1, (2, 3)), 2)
    ((1, 1), (2, 3))
    >>> resolve_pairs("ZeroPadding1D", "padding", (2, 3), 1)
    ((2, 3),)
    >>> resolve_pairs("ZeroPadding2D", "padding", -1, 2)
    Traceback (most recent call last):
        ...
    ValueError: `ZeroPadding2D`: `padding` must be an integer of at least 0, one for each of
    (height, width), or a pair for each, received -1.
    """
    items: list[Any] = []
    if is_integer(value):
        items = [value] * rank
    elif rank == 1:
        items = [value]
    elif isinstance(value, list | tuple):
        items = list(value)
    ends = [(item, item) if is_integer(item) else item for item in items]
    if len(ends) != rank or not all(map(_is_pair_of_sizes, ends)):
        forms = "or a pair (before, after)"
        if rank > 1:
            forms = f"one for each of ({', '.join(AXIS_NAMES[rank])}), or a pair for each"
        raise ValueError(
            f"`{owner}`: `{argument}` must be an integer of at least 0, {forms}, "
            f"received {value!r}."
        )
    return tuple((int(before), int(after)) for before, after in ends)


def _is_pair_of_sizes(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(is_integer(size) and size >= 0 for size in value)
    )


def extend_pairs(
    data_format: str | None, ends: tuple[tuple[int, int], ...]
) -> list[tuple[int, int]]:
    """Return pairs for all axes of the inputs, given those of the spatial axes.

    The pairs of the batch and channel axes are (0, 0).

    >>> extend_pairs("channels_first", ((1, 2),))
    [(0, 0), (0, 0), (1, 2)]
    """
    if data_format == "channels_first":
        return [(0, 0), (0, 0), *ends]
    return [(0, 0), *ends, (0, 0)]


def check_rank(owner: str, shape: Shape, rank: int, data_format: str | None) -> None:
    """Raise unless inputs have a batch axis, this number of spatial axes and a channel axis.

    >>> check_rank("Conv2D", (32, 28, 28), 2, None)
    Traceback (most recent call last):
        ...
    ValueError: `Conv2D` needs inputs of shape (batch, height, width, channels), received
    (32, 28, 28). If the channel axis is missing, add it: `x[..., None]`.
    """
    if len(shape) == rank + 2:
        return
    spatial = ", ".join(AXIS_NAMES[rank])
    channels_first = data_format == "channels_first"
    order = f"batch, channels, {spatial}" if channels_first else f"batch, {spatial}, channels"
    hint = ""
    if len(shape) == rank + 1:
        added = "x[:, None]" if channels_first else "x[..., None]"
        hint = f" If the channel axis is missing, add it: `{added}`."
    raise ValueError(f"`{owner}` needs inputs of shape ({order}), received {tuple(shape)}.{hint}")
