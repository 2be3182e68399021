"""Checks of arguments that many layers share."""

from typing import Any

from fjax.errors import integer_at_least


def single_input(owner: str, values: tuple[Any, ...]) -> Any:
    """Return the only input of a layer that takes one, or raise TypeError.

    >>> single_input("Dense", (1, 2))
    Traceback (most recent call last):
        ...
    TypeError: `Dense` takes one input, received 2. Merge the inputs first, or call it on each.
    """
    if len(values) != 1:
        raise TypeError(
            f"`{owner}` takes one input, received {len(values)}. "
            "Merge the inputs first, or call it on each."
        )
    return values[0]


def normalize_shape(owner: str, argument: str, shape: Any) -> tuple[int | None, ...]:
    """Return a shape without the batch axis as a tuple; None is an axis of any size.

    Args:
        owner: The layer that an error names.
        argument: The argument that an error names.
        shape: An int for one axis, or a list or tuple of ints and None.

    Raises:
        ValueError: A size is not a positive integer.

    >>> normalize_shape("Dense", "input_shape", [28, 28])
    (28, 28)
    """
    axes = [shape] if not isinstance(shape, list | tuple) else shape
    return tuple(
        None if size is None else integer_at_least(owner, f"{argument}[{axis}]", size, 1)
        for axis, size in enumerate(axes)
    )


def is_shape(value: Any) -> bool:
    """Tell whether a value is one shape, and not a structure of shapes.

    >>> is_shape((None, 8)), is_shape([(None, 8), (None, 3)])
    (True, False)
    """
    return isinstance(value, list | tuple) and not any(
        isinstance(size, list | tuple | dict) for size in value
    )


def whole_shape(owner: str, shape: Any) -> tuple[int | None, ...]:
    """Return the shape of a batch as a tuple.

    Raises:
        ValueError: It has no batch axis, or a size is not a positive integer.

    >>> whole_shape("Dense", [None, 8])
    (None, 8)
    """
    sizes = normalize_shape(owner, "input_shape", shape)
    if not sizes:
        raise ValueError(f"`{owner}`: `input_shape` needs a batch axis, as in (None, 8).")
    return sizes
