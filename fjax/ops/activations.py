"""Operations of `keras.ops.nn` that are activation functions."""

# ruff: noqa: E501

import jax
import jax.numpy as jnp

from fjax import activations
from fjax.ops.definition import UNARY, OperationTable
from fjax.traits import rows_independent

op = OperationTable(__name__)

_ALONG_AXIS = "x: Array, axis=-1"

# Each line is an operation: the function, its parameters, its docstring.
# fmt: off
relu = op.entrywise(lambda x: activations.relu(x), UNARY, "`max(x, 0)`.", "relu")
relu6 = op.entrywise(activations.relu6, UNARY, "`min(max(x, 0), 6)`.")
leaky_relu = op.entrywise(activations.leaky_relu, "x: Array, negative_slope=0.2", "`x`, multiplied by the slope where it is negative.")
elu = op.entrywise(activations.elu, "x: Array, alpha=1.0", "`x`, and `alpha * (exp(x) - 1)` where it is negative.")
selu = op.entrywise(activations.selu, UNARY, "Scaled exponential linear unit: `1.0507 * elu(x, 1.6733)`.")
celu = op.entrywise(activations.celu, "x: Array, alpha=1.0", "`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)`.")
gelu = op.entrywise(activations.gelu, "x: Array, approximate=True", "`x` times the normal distribution function of `x`, or its approximation by a tanh.")
silu = op.entrywise(activations.silu, UNARY, "`x * sigmoid(x)`.")
swish = op.alias("swish", silu)
sigmoid = op.entrywise(activations.sigmoid, UNARY, "`1 / (1 + exp(-x))`.")
log_sigmoid = op.entrywise(activations.log_sigmoid, UNARY, "Logarithm of the sigmoid, without overflow.")
hard_sigmoid = op.entrywise(activations.hard_sigmoid, UNARY, "`x / 6 + 0.5`, limited to [0, 1].")
hard_silu = op.entrywise(activations.hard_silu, UNARY, "`x * hard_sigmoid(x)`.")
hard_swish = op.alias("hard_swish", hard_silu)
hard_tanh = op.entrywise(activations.hard_tanh, UNARY, "`x` limited to [-1, 1].")
tanh_shrink = op.entrywise(activations.tanh_shrink, UNARY, "`x - tanh(x)`.")
hard_shrink = op.entrywise(activations.hard_shrink, "x: Array, threshold=0.5", "`x` where `|x| > threshold`, else 0.")
soft_shrink = op.entrywise(activations.soft_shrink, "x: Array, threshold=0.5", "`x` moved by the threshold towards 0, and 0 below the threshold.")
threshold = op.entrywise(lambda x, limit, default: jnp.where(x > limit, x, default), "x: Array, threshold: Array, default_value: Array", "`x` where it is above the threshold, else the default value.", "threshold")
softplus = op.entrywise(activations.softplus, UNARY, "`log(exp(x) + 1)`, without overflow.")
softsign = op.entrywise(activations.softsign, UNARY, "`x / (|x| + 1)`.")
squareplus = op.entrywise(activations.squareplus, "x: Array, b=4", "`(x + sqrt(x**2 + b)) / 2`.")
sparse_plus = op.entrywise(activations.sparse_plus, UNARY, "0 up to -1, `x` from 1, and `(x + 1)**2 / 4` between.")
sparse_sigmoid = op.entrywise(activations.sparse_sigmoid, UNARY, "0 up to -1, 1 from 1, and `(x + 1) / 2` between.")
# As Keras, in the dtype of `x`; the activations compute half precision in float32.
softmax = rows_independent(op(lambda x, axis: jax.nn.softmax(x, axis), _ALONG_AXIS, "`exp(x) / sum(exp(x))` along an axis.", "softmax"))
log_softmax = rows_independent(op(lambda x, axis: jax.nn.log_softmax(x, axis), _ALONG_AXIS, "`log(softmax(x))`, exact where a probability would round to 0.", "log_softmax"))
sparsemax = rows_independent(op(activations.sparsemax, _ALONG_AXIS, "The nearest non-negative entries along an axis whose sum is 1; small entries become 0."))
glu = rows_independent(op(activations.glu, _ALONG_AXIS, "`a * sigmoid(b)` for the halves `a` and `b` of `x` along an axis."))
# fmt: on

__all__ = op.names
