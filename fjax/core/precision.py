"""The one place that calls layers: masks are handled here, and precision has its place here.

Every layer within another one, and the network within a step, is called by `apply_layer` and
`init_layer`. All values are float32 today; a policy that computes in another type would cast params
and inputs on the way in and outputs on the way out, here and nowhere else.
"""

from typing import Any

import jax

from fjax.core.masking import Masked, first_mask, masking_of, strip_masks, warn_mask_dropped
from fjax.typing import Key, Params, PyTree, State


def init_layer(layer: Any, key: Key, *specs: PyTree) -> tuple[Params, State]:
    """Return `layer.init(key, *specs)`; a layer that takes no masks is given none."""
    own = specs if masking_of(layer) == "takes" else strip_masks(specs)
    return layer.init(key, *own)


def apply_layer(
    layer: Any,
    params: Params,
    state: State,
    *inputs: PyTree,
    key: Key | None = None,
    training: bool = False,
) -> tuple[PyTree, State]:
    """Return `layer.apply(…)`; masks are passed on, kept or dropped as the layer declares.

    >>> from fjax.layers import Activation
    >>> import jax.numpy as jnp
    >>> masked = Masked(jnp.array([[-1.0, 2.0]]), jnp.array([[True, False]]))
    >>> outputs, _ = apply_layer(Activation("relu"), {}, {}, masked)
    >>> outputs.values.tolist(), outputs.mask.tolist()
    ([[0.0, 2.0]], [[True, False]])
    """
    mask = first_mask(inputs)
    how = masking_of(layer)
    if mask is None or how == "takes":
        return layer.apply(params, state, *inputs, key=key, training=training)
    outputs, state = layer.apply(params, state, *strip_masks(inputs), key=key, training=training)
    if how == "keeps":
        return jax.tree.map(lambda leaf: Masked(leaf, mask), outputs), state
    warn_mask_dropped(layer)
    return outputs, state
