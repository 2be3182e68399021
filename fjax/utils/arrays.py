"""One-hot labels and normalized rows."""

from typing import Any

import jax
import numpy as np

from fjax.core import SymbolicTensor
from fjax.errors import integer_at_least


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Return class labels as one-hot rows, float32.

    Args:
        x: Integer labels from 0, of any shape; a last axis of size 1 is dropped.
        num_classes: The width of a row, by default the largest label plus one. In a function that
            JAX traces, and for symbolic labels, it is needed, and an invalid label gives zeros.

    Raises:
        ValueError: A label is negative, not an integer, or not below `num_classes`.

    Source: Keras's page "Python & NumPy utilities".

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if isinstance(x, jax.core.Tracer | SymbolicTensor):
        return _to_categorical_of_tensor(x, num_classes)
    labels = np.asarray(x)
    if labels.size == 0 or labels.dtype.kind not in "iubf":
        raise ValueError(f"`to_categorical` needs class labels, received {x!r}.")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    integers = labels.astype(np.int64)
    count = int(integers.max()) + 1
    if num_classes is not None:
        count = integer_at_least("to_categorical", "num_classes", num_classes, 1)
    invalid = np.argwhere((integers != labels) | (integers < 0) | (integers >= count))
    if len(invalid):
        position = tuple(int(i) for i in invalid[0])
        raise ValueError(
            f"`to_categorical`: labels must be integers from 0 to {count - 1}, found "
            f"{labels[position]} at {position}."
        )
    return np.eye(count, dtype=np.float32)[integers]


def _to_categorical_of_tensor(x: Any, num_classes: int | None) -> Any:
    from fjax.ops.networks import one_hot
    from fjax.ops.rearranging import squeeze

    if num_classes is None:
        raise ValueError(
            "`to_categorical` needs `num_classes` for labels without values: those of a function "
            "that JAX traces, or symbolic ones."
        )
    labels = squeeze(x, -1) if len(x.shape) > 1 and x.shape[-1] == 1 else x
    return one_hot(labels, integer_at_least("to_categorical", "num_classes", num_classes, 1))


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Return an array divided by its norm along an axis; a norm of 0 leaves zeros.

    Args:
        x: The array; a JAX array or a symbolic tensor gives one of the same kind.
        axis: The axis along which the norm is taken.
        order: The order of the norm: 2 is Euclidean, 1 the sum of absolute values.

    Source: Keras's page "Python & NumPy utilities".

    >>> normalize([[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    if isinstance(x, jax.Array | SymbolicTensor):
        from fjax.ops.networks import normalize as normalize_tensor

        return normalize_tensor(x, axis=axis, order=order)
    values = np.asarray(x)
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    norm = np.linalg.norm(np.atleast_1d(values), order, axis, keepdims=True)
    return values / np.where(norm == 0, 1, norm)
