"""Activations: plain functions of one array, with Keras's names, arguments and results.

Each returns an array of the floating dtype of `x`; `x` may also be a Python list of numbers. At a
kink the gradient is the one of Keras's JAX backend.
"""

from fjax.activations.along_axis import glu as glu
from fjax.activations.along_axis import log_softmax as log_softmax
from fjax.activations.along_axis import softmax as softmax
from fjax.activations.along_axis import sparsemax as sparsemax

# The activations by name.
from fjax.activations.names import REGISTRY as REGISTRY
from fjax.activations.names import deserialize as deserialize
from fjax.activations.names import get as get
from fjax.activations.names import serialize as serialize
from fjax.activations.piecewise import hard_shrink as hard_shrink
from fjax.activations.piecewise import hard_sigmoid as hard_sigmoid
from fjax.activations.piecewise import hard_silu as hard_silu
from fjax.activations.piecewise import hard_tanh as hard_tanh
from fjax.activations.piecewise import leaky_relu as leaky_relu
from fjax.activations.piecewise import linear as linear
from fjax.activations.piecewise import relu as relu
from fjax.activations.piecewise import relu6 as relu6
from fjax.activations.piecewise import soft_shrink as soft_shrink
from fjax.activations.piecewise import sparse_plus as sparse_plus
from fjax.activations.piecewise import sparse_sigmoid as sparse_sigmoid
from fjax.activations.piecewise import threshold as threshold
from fjax.activations.smooth import celu as celu
from fjax.activations.smooth import elu as elu
from fjax.activations.smooth import exponential as exponential
from fjax.activations.smooth import gelu as gelu
from fjax.activations.smooth import log_sigmoid as log_sigmoid
from fjax.activations.smooth import mish as mish
from fjax.activations.smooth import selu as selu
from fjax.activations.smooth import sigmoid as sigmoid
from fjax.activations.smooth import silu as silu
from fjax.activations.smooth import softplus as softplus
from fjax.activations.smooth import softsign as softsign
from fjax.activations.smooth import squareplus as squareplus
from fjax.activations.smooth import tanh as tanh
from fjax.activations.smooth import tanh_shrink as tanh_shrink

hard_swish = hard_silu
swish = silu
