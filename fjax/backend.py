"""The functions of `keras.backend` that tutorials call."""

import collections
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.config import backend as backend
from fjax.config import epsilon as epsilon
from fjax.config import floatx as floatx
from fjax.config import image_data_format as image_data_format
from fjax.config import set_epsilon as set_epsilon
from fjax.config import set_floatx as set_floatx
from fjax.config import set_image_data_format as set_image_data_format
from fjax.core.symbolic import SymbolicTensor
from fjax.errors import unknown_name
from fjax.utils import clear_session as clear_session

_uids: dict[str, int] = collections.defaultdict(int)

_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
    "float32", "float64", "bfloat16", "complex64", "complex128", "string",
)  # fmt: skip


def get_value(x: Any) -> np.ndarray:
    """Return the value of an array or variable as a numpy array.

    >>> get_value(jnp.ones(2)).tolist()
    [1.0, 1.0]
    """
    return np.asarray(x)


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


def is_float_dtype(dtype: Any) -> bool:
    """Return whether a dtype is one of floating numbers.

    >>> is_float_dtype("bfloat16"), is_float_dtype("int32")
    (True, False)
    """
    name = standardize_dtype(dtype)
    return name.startswith(("float", "bfloat"))


def is_int_dtype(dtype: Any) -> bool:
    """Return whether a dtype is one of integers.

    >>> is_int_dtype("uint8"), is_int_dtype("float32")
    (True, False)
    """
    return standardize_dtype(dtype).startswith(("int", "uint"))


def result_type(*dtypes: Any) -> str:
    """Return the dtype of a result that is computed from these dtypes.

    >>> result_type("int32", "float16")
    'float16'
    """
    return str(jnp.result_type(*(jax.numpy.dtype(standardize_dtype(each)) for each in dtypes)))


def get_uid(prefix: str = "") -> int:
    """Return the next number of a prefix, from 1.

    >>> get_uid("of a test"), get_uid("of a test")
    (1, 2)
    """
    _uids[prefix] += 1
    return _uids[prefix]
