"""What layers whose windows slide over the axes between batch and channels have in common."""

from collections.abc import Sequence
from typing import Any

from fjax.errors import integer_at_least, is_integer, one_of
from fjax.layers.spatial import check_rank
from fjax.lowering.windows import dilated_size, spatial_axes, window_count
from fjax.typing import Array, Shape

# One integer, or one for each spatial axis; whoever stores it resolves it to a tuple.
Sizes = Any


def each_axis(owner: str, argument: str, value: Any, rank: int, minimum: int = 1) -> Shape:
    """Return one integer for each spatial axis; a single one counts for all.

    >>> each_axis("Conv2D", "strides", 2, 2)
    (2, 2)
    >>> each_axis("Conv2D", "strides", (2, 2, 2), 2)
    Traceback (most recent call last):
        ...
    ValueError: `Conv2D`: `strides` must be one integer of at least 1 or 2 of them,
    received (2, 2, 2).
    """
    if is_integer(value):
        return (integer_at_least(owner, argument, value, minimum),) * rank
    sizes = tuple(value) if isinstance(value, list | tuple) else ()
    if len(sizes) != rank or not all(is_integer(size) and size >= minimum for size in sizes):
        several = f" or {rank} of them" if rank > 1 else ""
        raise ValueError(
            f"`{owner}`: `{argument}` must be one integer of at least {minimum}{several}, "
            f"received {value!r}."
        )
    return tuple(int(size) for size in sizes)


def checked_padding(owner: str, value: Any, allowed: Sequence[str] = ("valid", "same")) -> str:
    """Return the padding in small letters, or raise: it must be one of the allowed.

    >>> checked_padding("Conv2D", "SAME")
    'same'
    """
    small = value.lower() if isinstance(value, str) else value
    if small == "causal" and "causal" not in allowed:
        raise ValueError(
            f"`{owner}`: `padding` 'causal' is for `Conv1D` alone, whose one axis is time; "
            f"choose one of {', '.join(map(repr, allowed))}."
        )
    return str(one_of(owner, "padding", small, allowed))


def channels_of(shape: Shape, data_format: str) -> int:
    """Return how many channels inputs of a shape have."""
    return shape[-1] if data_format == "channels_last" else shape[1]


def check_channels(owner: str, shape: Shape, data_format: str, built_for: int) -> None:
    """Raise if inputs have other channels than the layer was built for."""
    channels = channels_of(shape, data_format)
    if channels != built_for:
        raise ValueError(
            f"`{owner}` was built for {built_for} channels, received inputs of shape "
            f"{tuple(shape)} with {channels}; `data_format` is {data_format!r}."
        )


def check_strides(owner: str, strides: Shape, dilation_rate: Shape) -> None:
    """Raise if a layer both skips positions and spreads its windows."""
    if max(strides) > 1 and max(dilation_rate) > 1:
        raise ValueError(
            f"`{owner}`: `strides` {strides} and `dilation_rate` {dilation_rate} cannot both be "
            "above 1: set one of them to 1."
        )


def check_inputs(
    owner: str,
    shape: Shape,
    window: Shape,
    strides: Shape,
    padding: str,
    data_format: str,
    dilation_rate: Shape | None = None,
) -> None:
    """Raise if inputs have other axes than expected, or no window fits into them.

    >>> check_inputs("Conv2D", (32, 2, 8, 3), (3, 3), (1, 1), "valid", "channels_last")
    Traceback (most recent call last):
        ...
    ValueError: `Conv2D`: a window of (3, 3) does not fit into inputs of shape (32, 2, 8, 3), whose
    spatial axes are (2, 8): no output would be left. Use a smaller window, `padding="same"` or
    larger inputs.
    """
    check_rank(owner, shape, len(window), data_format)
    dilation = dilation_rate or (1,) * len(window)
    covers = tuple(dilated_size(w, d) for w, d in zip(window, dilation, strict=True))
    sizes = tuple(shape[axis] for axis in spatial_axes(len(window), data_format))
    counts = [
        window_count(size, cover, stride, padding)
        for size, cover, stride in zip(sizes, covers, strides, strict=True)
    ]
    if min(counts) > 0:
        return
    spread = f" (of {window}, spread by `dilation_rate` {dilation})" if covers != window else ""
    advice = (
        'Use a smaller window, `padding="same"` or larger inputs.'
        if padding == "valid"
        else "Give it inputs that are not empty."
    )
    raise ValueError(
        f"`{owner}`: a window of {covers}{spread} does not fit into inputs of shape "
        f"{tuple(shape)}, whose spatial axes are {sizes}: no output would be left. {advice}"
    )


def add_bias(outputs: Array, bias: Array, data_format: str) -> Array:
    """Add one number to each channel."""
    if data_format == "channels_first":
        bias = bias.reshape(-1, *[1] * (outputs.ndim - 2))
    return outputs + bias
