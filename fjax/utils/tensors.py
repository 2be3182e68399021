"""Symbolic tensors and names of dtypes."""

from typing import Any

from fjax.config import floatx
from fjax.core.symbolic import SymbolicTensor
from fjax.errors import unknown_name

_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
    "float32", "float64", "bfloat16", "complex64", "complex128", "string",
)  # fmt: skip


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

    >>> import numpy as np
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
