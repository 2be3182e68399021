"""Keras's `utils`: random seeds, one-hot labels, normalized rows, padded sequences, model plots."""

import random
from typing import Any

import numpy as np

from fjax.caching import clear_caches
from fjax.callbacks.progbar import Progbar as Progbar
from fjax.compilation_cache import enable_compilation_cache as enable_compilation_cache
from fjax.config import disable_interactive_logging as disable_interactive_logging
from fjax.config import enable_interactive_logging as enable_interactive_logging
from fjax.config import floatx
from fjax.config import is_interactive_logging_enabled as is_interactive_logging_enabled
from fjax.core.symbolic import SymbolicTensor
from fjax.data.reading import forget_streams
from fjax.errors import integer_at_least, seed_of, unknown_name
from fjax.preprocessing.sequence import pad_sequences as pad_sequences
from fjax.random.seeds import forget_global_generator
from fjax.saving import CustomObjectScope as CustomObjectScope
from fjax.saving import custom_object_scope as custom_object_scope
from fjax.saving import deserialize_keras_object as deserialize_keras_object
from fjax.saving import get_custom_objects as get_custom_objects
from fjax.saving import get_registered_name as get_registered_name
from fjax.saving import get_registered_object as get_registered_object
from fjax.saving import register_keras_serializable as register_keras_serializable
from fjax.saving import serialize_keras_object as serialize_keras_object
from fjax.visualization import model_to_dot as model_to_dot
from fjax.visualization import plot_model as plot_model

_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
    "float32", "float64", "bfloat16", "complex64", "complex128", "string",
)  # fmt: skip


def set_random_seed(seed: int) -> None:
    """Seed Python's `random`, numpy's global generator and that of `fjax.random`.

    A model draws its seed from Python's `random` when it is made. All its later random numbers
    follow from that seed.

    Args:
        seed: From 0 to 2**32 - 1.

    Source: Keras's page "Python & NumPy utilities".

    >>> from fjax.layers import Dense
    >>> from fjax.models import Sequential
    >>> def first_weight():
    ...     set_random_seed(42)
    ...     return Sequential([Dense(1, input_shape=(1,))]).get_weights()[0].item()
    >>> first_weight() == first_weight()
    True
    """
    seed = seed_of("set_random_seed", seed)
    random.seed(seed)
    np.random.seed(seed)
    forget_global_generator()


def clear_session(free_memory: bool = True) -> None:
    """Discard compiled programs, and batches that were read from generators but not used.

    Existing models compile again at their next use. There is no other global state: names, seeds
    and arrays belong to the models.

    Args:
        free_memory: Ignored; accepted for compatibility with Keras.

    Source: Keras's page "Config and backend utilities".
    """
    clear_caches()
    forget_streams()


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Return class labels as one-hot rows, float32.

    Args:
        x: Integer labels from 0, of any shape; a last axis of size 1 is dropped.
        num_classes: The width of a row, by default the largest label plus one.

    Raises:
        ValueError: A label is negative, not an integer, or not below `num_classes`.

    Source: Keras's page "Python & NumPy utilities".

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
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


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Return an array divided by its norm along an axis; a norm of 0 leaves zeros.

    Args:
        x: The array.
        axis: The axis along which the norm is taken.
        order: The order of the norm: 2 is Euclidean, 1 the sum of absolute values.


    Source: Keras's page "Python & NumPy utilities".

    >>> normalize([[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    values = np.asarray(x)
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    norm = np.linalg.norm(np.atleast_1d(values), order, axis, keepdims=True)
    return values / np.where(norm == 0, 1, norm)


def is_keras_tensor(x: Any) -> bool:
    """Return whether a value is a symbolic tensor.

    >>> from fjax import Input
    >>> is_keras_tensor(Input((2,))), is_keras_tensor(1.0)
    (True, False)
    """
    return isinstance(x, SymbolicTensor)


def standardize_dtype(dtype: Any) -> str:
    """Return the name of a dtype; None is the default, "float32".

    Raises:
        ValueError: There is no such dtype.

    >>> standardize_dtype(np.int32), standardize_dtype(None), standardize_dtype(float)
    ('int32', 'float32', 'float32')
    """
    if dtype is None or dtype is float:
        return floatx()
    if dtype is int:
        return "int32"
    if dtype is str:
        return "string"
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    if name not in _DTYPES:
        raise unknown_name("dtype", name, _DTYPES)
    return name


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


def get_source_inputs(tensor: Any) -> list[SymbolicTensor]:
    """Return the declared inputs that a symbolic tensor is computed from.

    Args:
        tensor: The symbolic tensor.

    Source: Keras's page "Model plotting utilities".

    >>> from fjax.layers import Dense, Input
    >>> inputs = Input((2,))
    >>> get_source_inputs(Dense(3)(inputs))[0] is inputs
    True
    """
    sources: list[SymbolicTensor] = []
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        current = stack.pop()
        parents = list(current.node.parents())
        if not parents and not any(current is source for source in sources):
            sources.append(current)
        if id(current.node) not in seen:
            seen.add(id(current.node))
            stack += reversed(parents)
    return sources
