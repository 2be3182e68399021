"""The functions of `keras.ops`, on arrays and on symbolic tensors.

On arrays they compute, under all transformations of JAX. On symbolic tensors they become nodes of
the graph. Most are functions of `jax.numpy`, `jax.nn` and `jax.lax` under Keras's names. As in
Keras, `ops.numpy`, `ops.nn` and `ops.linalg` have those of one family.

>>> import jax.numpy as jnp
>>> from fjax.layers import Input
>>> sum(jnp.ones((2, 3)), axis=1).tolist(), sum(Input((3,)), axis=1).shape
([3.0, 3.0], (None,))
"""

from fjax.ops import core, einops, image, linalg, math, nn, numpy, spectral
from fjax.ops.core import *
from fjax.ops.einops import *
from fjax.ops.linalg import *
from fjax.ops.math import *
from fjax.ops.nn import *
from fjax.ops.numpy import *
from fjax.ops.spectral import *

__all__ = [
    *core.__all__, *einops.__all__, *linalg.__all__, *math.__all__, *nn.__all__, *numpy.__all__,
    *spectral.__all__, "image",
]  # fmt: skip
