"""The masks of an attention layer with heads, combined into one."""

import functools

import jax.numpy as jnp

from fjax.layers.attention.inputs import AttentionInputs
from fjax.layers.attention.layout import AttentionLayout
from fjax.lowering.attention import causal_mask, window_mask
from fjax.typing import Array


def combined_mask(
    owner: str,
    inputs: AttentionInputs,
    layout: AttentionLayout,
    heads: int,
    sliding_window: int | None,
) -> Array | None:
    """Return all masks as one, `(batch or 1, heads or 1, targets, sources)`; None if there is none.

    Raises:
        ValueError: A mask in time is used with several time axes, or `attention_mask` does not
            broadcast.
    """
    batch, targets, sources = layout.flat_sizes
    masks: list[Array] = []
    if inputs.query_mask is not None:
        by_target = jnp.transpose(inputs.query_mask, layout.order)
        masks.append(by_target.reshape(batch, 1, targets, 1))
    for mask in (inputs.value_mask, inputs.key_mask):
        if mask is not None:
            masks.append(jnp.transpose(mask, layout.order).reshape(batch, 1, 1, sources))
    if inputs.use_causal_mask:
        _check_time_axis(owner, "use_causal_mask", layout)
        masks.append(causal_mask(targets, sources))
    if sliding_window is not None:
        _check_time_axis(owner, "sliding_window", layout)
        masks.append(window_mask(targets, sources, sliding_window))
    if inputs.attention_mask is not None:
        masks.append(_flatten_attention_mask(owner, inputs.attention_mask, layout, heads))
    return functools.reduce(jnp.logical_and, masks) if masks else None


def _check_time_axis(owner: str, argument: str, layout: AttentionLayout) -> None:
    if len(layout.time_axes) != 1:
        raise ValueError(
            f"`{owner}`: `{argument}` needs attention over a single time axis, received attention "
            f"over axes {layout.time_axes}."
        )


def _flatten_attention_mask(owner: str, mask: Array, layout: AttentionLayout, heads: int) -> Array:
    """Return `attention_mask` with axes of batch, heads, targets and sources, or raise."""
    time_rank = len(layout.targets) + len(layout.sources)
    full_shape = (*layout.batch, heads, *layout.targets, *layout.sources)
    # Axes of size 1 go before the target axes, where the mask has no axis of heads.
    leading, trailing = mask.shape[: max(mask.ndim - time_rank, 0)], mask.shape[-time_rank:]
    missing = max(len(full_shape) - mask.ndim, 0)
    wide = mask.reshape(*leading, *[1] * missing, *trailing)
    try:
        fits = mask.ndim >= time_rank and (
            jnp.broadcast_shapes(wide.shape, full_shape) == full_shape
        )
    except ValueError:
        fits = False
    if not fits:
        without_heads = (*layout.batch, *layout.targets, *layout.sources)
        raise ValueError(
            f"`{owner}`: `attention_mask` must broadcast to {without_heads}, (batch, targets, "
            f"sources), or with an axis of heads to {full_shape}, received {tuple(mask.shape)}."
        )
    if len(full_shape) == 4:
        return wide
    batch, targets, sources = layout.flat_sizes
    return jnp.broadcast_to(wide, full_shape).reshape(batch, heads, targets, sources)
