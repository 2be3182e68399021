"""The functions that call layers; they handle masks, dtypes and rematerialization.

Every layer inside another layer, and the network inside a step, is called by `apply_layer` and
`init_layer`. They apply the layer's dtype policy (`fjax.dtype_policies`) as its attribute `casting`
says:

- "compute": inputs and params are cast to the dtype of the computation, and outputs to that of the
  outputs;
- "float32": likewise, but the layer gets float32 or wider, as statistics need it;
- "inputs": only the inputs are cast, because the layer's sublayers, or an author's pass, do the
  rest. A layer with sublayers is treated as one of these;
- "outputs": only the outputs are cast, because the inputs are data that must stay exact;
- "none", or no such attribute: the layer receives everything as it is.

With the default policy there is nothing to cast, and the program is that of the bare layer.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from fjax.core.masking import Masked, first_mask, masking_of, strip_masks, warn_mask_dropped
from fjax.core.output_layouts import constrained
from fjax.core.policies import cast_floats, cast_weights, casting_of, like, policy_of
from fjax.core.reserved import PENALTY
from fjax.dtype_policies import DEFAULT, DTypePolicy
from fjax.typing import Key, Params, PyTree, State

# The ways of casting that change more than the inputs.
_WHOLE = ("compute", "float32")


def init_layer(layer: Any, key: Key, *specs: PyTree) -> tuple[Params, State]:
    """Return `layer.init(key, *specs)`; masks are removed for a layer that takes no masks."""
    layer_specs = specs if masking_of(layer) == "takes" else strip_masks(specs)
    params, state = layer.init(key, *_cast_inputs(layer, layer_specs))
    policy = policy_of(layer)
    if policy.name == DEFAULT or casting_of(layer) not in _WHOLE:
        return params, state
    dtype = policy.variable_dtype
    return cast_weights(params, dtype), cast_weights(state, dtype)


def apply_layer(
    layer: Any,
    params: Params,
    state: State,
    *inputs: PyTree,
    key: Key | None = None,
    training: bool | None = False,
    remat: bool = False,
) -> tuple[PyTree, State]:
    """Return `layer.apply(…)`; masks are passed on, kept or dropped as the layer declares.

    The mode None is the default of each layer: inference, but for layers that augment images. A
    rematerialized call keeps its inputs, and computes what is inside again for the gradients.

    >>> from fjax.layers import Activation
    >>> masked = Masked(jnp.array([[-1.0, 2.0]]), jnp.array([[True, False]]))
    >>> outputs, _ = apply_layer(Activation("relu"), {}, {}, masked)
    >>> outputs.values.tolist(), outputs.mask.tolist()
    ([[0.0, 2.0]], [[True, False]])
    >>> layer = Activation("relu", dtype="mixed_bfloat16")
    >>> apply_layer(layer, {}, {}, jnp.array([-1.0, 2.0]))[0]
    Array([0, 2], dtype=bfloat16)
    """
    mask = first_mask(inputs)
    masking = masking_of(layer)
    if mask is None or masking == "takes":
        return _apply(layer, params, state, inputs, key, training, remat)
    outputs, state = _apply(layer, params, state, strip_masks(inputs), key, training, remat)
    if masking == "keeps":
        return jax.tree.map(lambda leaf: Masked(leaf, mask), outputs), state
    if masking == "ends":
        warn_mask_dropped(layer)
    return outputs, state


def _apply(
    layer: Any,
    params: Params,
    state: State,
    inputs: tuple[PyTree, ...],
    key: Key | None,
    training: bool | None,
    remat: bool,
) -> tuple[PyTree, State]:
    """Return `layer.apply(…)`, rematerialized if the caller or the layer asks for it."""
    if not remat and not rematerializes(layer):
        return _apply_in_policy(layer, params, state, inputs, key, training)

    @jax.checkpoint
    def apply(
        params: Params, state: State, inputs: tuple[PyTree, ...], key: Key | None
    ) -> tuple[PyTree, State]:
        return _apply_in_policy(layer, params, state, inputs, key, training)

    return apply(params, state, inputs, key)


def _apply_in_policy(
    layer: Any,
    params: Params,
    state: State,
    inputs: tuple[PyTree, ...],
    key: Key | None,
    training: bool | None,
) -> tuple[PyTree, State]:
    """Return `layer.apply(…)` in the dtypes of the layer's policy, in the layout of the program."""
    inputs = _cast_inputs(layer, inputs)
    policy = policy_of(layer)
    if policy.name == DEFAULT:
        outputs, state = layer.apply(params, state, *inputs, key=key, training=training)
    else:
        casting = casting_of(layer) if layer.autocast else "none"
        outputs, state = apply_in_policy(
            policy, casting, layer.apply, params, state, inputs, key, training
        )
    return constrained(outputs), state


def apply_in_policy(
    policy: DTypePolicy,
    casting: str,
    apply: Callable[..., tuple[PyTree, State]],
    params: Params,
    state: State,
    inputs: tuple[PyTree, ...],
    key: Key | None,
    training: bool | None,
) -> tuple[PyTree, State]:
    """Return `apply(…)` for inputs that are cast already, in the dtypes of a policy.

    Args:
        policy: The policy.
        casting: The layer's way of casting.
        apply: The layer's `apply`.
        params: The params.
        state: The state.
        inputs: The inputs.
        key: The key.
        training: The mode.
    """
    if casting not in _WHOLE:
        outputs, state_after = apply(params, state, *inputs, key=key, training=training)
        is_other = policy.output_dtype != policy.compute_dtype
        if casting == "outputs" or (casting == "inputs" and is_other):
            outputs = cast_floats(outputs, policy.output_dtype)
        return outputs, state_after
    dtype = jnp.dtype(policy.compute_dtype)
    if casting == "float32":
        dtype = jnp.promote_types(dtype, jnp.float32)
        inputs = cast_floats(inputs, dtype)
    outputs, state_after = apply(
        cast_weights(params, dtype), cast_weights(state, dtype), *inputs,
        key=key, training=training,
    )  # fmt: skip
    state_after = like(state_after, state)
    if PENALTY in state_after and dtype.name != policy.variable_dtype:
        # Weights are regularized as they are. What else this call computes is not used.
        _, exact = apply(params, state, *inputs, key=key, training=training)
        charge = {**state_after[PENALTY], "weights": exact[PENALTY]["weights"]}
        state_after = {**state_after, PENALTY: charge}
    return cast_floats(outputs, policy.output_dtype), state_after


def rematerializes(layer: Any) -> bool:
    """Return whether a layer as a whole is computed again for the gradients.

    A container with `remat` asks this of each of its layers, by the argument of `apply_layer`.
    """
    return getattr(layer, "remat", False) and not getattr(layer, "remat_inside", False)


def _cast_inputs(layer: Any, inputs: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
    """Return inputs, or their specs, in the dtype of a layer's computation."""
    if casting_of(layer) in ("none", "outputs") or not layer.autocast:
        return inputs
    return cast_floats(inputs, policy_of(layer).compute_dtype)
