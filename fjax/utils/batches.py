"""The parts of a batch: inputs, targets and weights."""

from typing import Any


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return a batch as a tuple, without the parts that are None at its end.

    Inputs alone are returned themselves, unless they are a tuple or list.

    Args:
        x: The inputs.
        y: The targets.
        sample_weight: The weights.

    Source: Keras's page "pack_x_y_sample_weight function".

    >>> pack_x_y_sample_weight(1, 2), pack_x_y_sample_weight(1)
    ((1, 2), 1)
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, list | tuple) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return the inputs, targets and weights of a batch; None for a part that it lacks.

    Args:
        data: The inputs; or a tuple or list of inputs, targets and weights.

    Raises:
        ValueError: A tuple has more than three parts.

    Source: Keras's page "unpack_x_y_sample_weight function".

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    parts = tuple(data) if isinstance(data, list | tuple) else (data,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(
            "`unpack_x_y_sample_weight` takes `(x, y, sample_weight)`, `(x, y)` or `x`, received "
            f"{len(parts)} parts."
        )
    x, y, sample_weight = (*parts, None, None)[:3]
    return x, y, sample_weight
