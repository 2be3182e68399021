"""The functions that call layers; they handle masks, and would handle precision.

Every layer inside another layer, and the network inside a step, is called by `apply_layer` and
`init_layer`. All values are float32 today; only here would a policy for another dtype cast the
params, the inputs and the outputs.
"""

from typing import Any

import jax

from fjax.core.masking import Masked, first_mask, masking_of, strip_masks, warn_mask_dropped
from fjax.typing import Key, Params, PyTree, State


def init_layer(layer: Any, key: Key, *specs: PyTree) -> tuple[Params, State]:
    """Return `layer.init(key, *specs)`; masks are removed for a layer that takes no masks."""
    layer_specs = specs if masking_of(layer) == "takes" else strip_masks(specs)
    return layer.init(key, *layer_specs)


def apply_layer(
    layer: Any,
    params: Params,
    state: State,
    *inputs: PyTree,
    key: Key | None = None,
    training: bool | None = False,
) -> tuple[PyTree, State]:
    """Return `layer.apply(…)`; masks are passed on, kept or dropped as the layer declares.

    The mode None is the default of each layer: inference, but for layers that augment images.

    >>> from fjax.layers import Activation
    >>> import jax.numpy as jnp
    >>> masked = Masked(jnp.array([[-1.0, 2.0]]), jnp.array([[True, False]]))
    >>> outputs, _ = apply_layer(Activation("relu"), {}, {}, masked)
    >>> outputs.values.tolist(), outputs.mask.tolist()
    ([[0.0, 2.0]], [[True, False]])
    """
    mask = first_mask(inputs)
    masking = masking_of(layer)
    if mask is None or masking == "takes":
        return layer.apply(params, state, *inputs, key=key, training=training)
    outputs, state = layer.apply(params, state, *strip_masks(inputs), key=key, training=training)
    if masking == "keeps":
        return jax.tree.map(lambda leaf: Masked(leaf, mask), outputs), state
    if masking == "ends":
        warn_mask_dropped(layer)
    return outputs, state
