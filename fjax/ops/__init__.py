"""Operations whose lowering is chosen by the device: plain functions on arrays.

A program runs the branch of the platform that it is lowered for (`jax.lax.platform_dependent`): on
a CPU slices and matrix products, elsewhere the kernels of the platform's own library. Which is
faster was measured, see `docs/lowering.md`. Both branches are made of JAX's own operations, so
gradients of any order, in either mode, `vmap` and the rest need no rules of their own.
"""

from fjax.ops.convolution import convolution as convolution
from fjax.ops.pooling import average_pooling as average_pooling
from fjax.ops.pooling import max_pooling as max_pooling
from fjax.ops.transposed_convolution import transposed_convolution as transposed_convolution
