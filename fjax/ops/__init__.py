"""Functions on arrays that layers are made of, each with the lowering that its backend runs best."""

from fjax.ops.attention import attention_weights as attention_weights
from fjax.ops.attention import causal_mask as causal_mask
from fjax.ops.attention import weighted_values as weighted_values
from fjax.ops.attention import window_mask as window_mask
from fjax.ops.embedding import lookup as lookup
