"""Array functions that layers are built on, each in the form that runs fastest on its backend."""

from fjax.lowering.adaptive_pooling import adaptive_pooling as adaptive_pooling
from fjax.lowering.attention import attention_weights as attention_weights
from fjax.lowering.attention import causal_mask as causal_mask
from fjax.lowering.attention import weighted_values as weighted_values
from fjax.lowering.attention import window_mask as window_mask
from fjax.lowering.convolution import convolution as convolution
from fjax.lowering.embedding import lookup as lookup
from fjax.lowering.linear import linear as linear
from fjax.lowering.pooling import average_pooling as average_pooling
from fjax.lowering.pooling import max_pooling as max_pooling
from fjax.lowering.recurrence import Recurrence as Recurrence
from fjax.lowering.recurrence import recurrence as recurrence
from fjax.lowering.transposed_convolution import transposed_convolution as transposed_convolution
