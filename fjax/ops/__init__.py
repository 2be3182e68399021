"""Functions on arrays that layers are made of, each with the lowering that its backend runs best.

A program runs the branch of the platform that it is lowered for (`jax.lax.platform_dependent`): for
convolution and pooling slices and matrix products on a CPU, elsewhere the kernels of the platform's
own library. Which is faster was measured, see `docs/lowering.md`. All branches are made of JAX's
own operations, so gradients of any order, in either mode, `vmap` and the rest need no rules.
"""

from fjax.ops.convolution import convolution as convolution
from fjax.ops.embedding import lookup as lookup
from fjax.ops.pooling import average_pooling as average_pooling
from fjax.ops.pooling import max_pooling as max_pooling
from fjax.ops.transposed_convolution import transposed_convolution as transposed_convolution
