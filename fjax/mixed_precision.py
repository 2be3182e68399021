"""Mixed precision by Keras's names: the policies of layers, and the optimizer for float16.

>>> set_global_policy("mixed_bfloat16")
>>> global_policy()
<DTypePolicy "mixed_bfloat16">
>>> set_global_policy("float32")
"""

from fjax.dtype_policies import DTypePolicy as DTypePolicy
from fjax.dtype_policies import dtype_policy as dtype_policy
from fjax.dtype_policies import set_dtype_policy as set_dtype_policy
from fjax.optimizers import LossScaleOptimizer as LossScaleOptimizer

# Keras has each of these under two names.
Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
