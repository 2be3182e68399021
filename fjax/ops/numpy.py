"""The operations of `keras.ops.numpy`."""

from fjax.ops import creation, elementwise, products, rearranging, reductions
from fjax.ops.creation import *
from fjax.ops.elementwise import *
from fjax.ops.products import *
from fjax.ops.rearranging import *
from fjax.ops.reductions import *

__all__ = [
    *creation.__all__, *elementwise.__all__, *products.__all__, *rearranging.__all__,
    *reductions.__all__,
]  # fmt: skip
