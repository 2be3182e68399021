"""Arguments and checks that convolution and pooling layers share."""

from collections.abc import Sequence
from typing import Any

from fjax.errors import integer_at_least, is_integer, one_of
from fjax.lowering.windows import dilated_size, spatial_axes, window_count
from fjax.typing import Shape

# One integer, or one for each spatial axis; layers store a tuple.
Sizes = Any


def resolve_sizes(owner: str, argument: str, value: Any, rank: int, minimum: int = 1) -> Shape:
    """Return one integer for each spatial axis; a single integer is repeated.

    >>> resolve_sizes("Conv2D", "strides", 2, 2)
    (2, 2)
    >>> resolve_sizes("Conv2D", "strides", (2, 2, 2), 2)
    Traceback (most recent call last):
        ...
    ValueError: `Conv2D`: `strides` must be one integer of at least 1 or 2 of them,
    received (2, 2, 2).
    """
    if is_integer(value):
        return (integer_at_least(owner, argument, value, minimum),) * rank
    sizes = tuple(value) if isinstance(value, list | tuple) else ()
    if len(sizes) != rank or not all(is_integer(size) and size >= minimum for size in sizes):
        alternative = f" or {rank} of them" if rank > 1 else ""
        raise ValueError(
            f"`{owner}`: `{argument}` must be one integer of at least {minimum}{alternative}, "
            f"received {value!r}."
        )
    return tuple(int(size) for size in sizes)


def resolve_padding(owner: str, value: Any, allowed: Sequence[str] = ("valid", "same")) -> str:
    """Return the padding in lower case, or raise if it is not allowed.

    >>> resolve_padding("Conv2D", "SAME")
    'same'
    """
    padding = value.lower() if isinstance(value, str) else value
    if padding == "causal" and "causal" not in allowed:
        raise ValueError(
            f"`{owner}`: `padding` 'causal' is for `Conv1D` only, whose axis is time; "
            f"choose one of {', '.join(map(repr, allowed))}."
        )
    return str(one_of(owner, "padding", padding, allowed))


def check_windows_fit(
    owner: str,
    shape: Shape,
    window: Shape,
    strides: Shape,
    padding: str,
    data_format: str,
    dilation_rate: Shape | None = None,
) -> None:
    """Raise if inputs with the right number of axes are smaller than the window.

    >>> check_windows_fit("Conv2D", (32, 2, 8, 3), (3, 3), (1, 1), "valid", "channels_last")
    Traceback (most recent call last):
        ...
    ValueError: `Conv2D`: a window of (3, 3) does not fit into inputs of shape (32, 2, 8, 3), whose
    spatial axes are (2, 8): the outputs would be empty. Use a smaller window, `padding="same"` or
    larger inputs.
    """
    dilation = dilation_rate or (1,) * len(window)
    extents = tuple(dilated_size(w, d) for w, d in zip(window, dilation, strict=True))
    sizes = tuple(shape[axis] for axis in spatial_axes(len(window), data_format))
    # A size of an exported program may be symbolic, of any number of windows.
    fits = all(
        window_count(size, extent, stride, padding) > 0
        for size, extent, stride in zip(sizes, extents, strides, strict=True)
        if isinstance(size, int)
    )
    if fits:
        return
    dilated = f" (of {window}, with `dilation_rate` {dilation})" if extents != window else ""
    advice = (
        'Use a smaller window, `padding="same"` or larger inputs.'
        if padding == "valid"
        else "Use inputs that are not empty."
    )
    raise ValueError(
        f"`{owner}`: a window of {extents}{dilated} does not fit into inputs of shape "
        f"{tuple(shape)}, whose spatial axes are {sizes}: the outputs would be empty. {advice}"
    )
