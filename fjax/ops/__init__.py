"""Functions on arrays that layers are made of, in the lowering that each backend runs best."""

from typing import Any

from fjax.ops.attention import attention_weights as attention_weights
from fjax.ops.attention import causal_mask as causal_mask
from fjax.ops.attention import weighted_values as weighted_values
from fjax.ops.attention import window_mask as window_mask
from fjax.ops.convolution import convolution as convolution
from fjax.ops.embedding import lookup as lookup
from fjax.ops.linear import linear as linear
from fjax.ops.pooling import average_pooling as average_pooling
from fjax.ops.pooling import max_pooling as max_pooling
from fjax.ops.recurrence import Recurrence as Recurrence
from fjax.ops.recurrence import recurrence as recurrence
from fjax.ops.transposed_convolution import transposed_convolution as transposed_convolution


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"`fjax.ops` has no `{name}`: it holds what layers are made of. Most functions of Keras's "
        "`ops` are those of `jax.numpy` and `jax.nn`, under the same names."
    )
