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
from fjax.utils import clear_session as clear_session
from fjax.utils import is_keras_tensor as is_keras_tensor
from fjax.utils import standardize_dtype as standardize_dtype

_uids: dict[str, int] = collections.defaultdict(int)


def get_value(x: Any) -> np.ndarray:
    """Return the value of an array or variable as a numpy array.

    >>> get_value(jnp.ones(2)).tolist()
    [1.0, 1.0]
    """
    return np.asarray(x)


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
