"""Operations of `keras.ops.nn` for layers and losses: normalization, attention, cross-entropy."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from fjax import config
from fjax.errors import integer_at_least
from fjax.lowering import causal_mask
from fjax.ops.definition import OperationTable
from fjax.typing import Array

op = OperationTable(__name__)

polar = op.entrywise(
    lambda size, angle: jax.lax.complex(size * jnp.cos(angle), size * jnp.sin(angle)),
    "abs_: Array, angle: Array",
    "Complex numbers of these absolute values and angles in radians.",
    "polar",
)


# Normalization.


@op.define
def normalize(x: Array, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Array:
    """Return an array divided by its norm along an axis, or by `epsilon` if that is larger."""
    integer_at_least("normalize", "order", order, 1)
    smallest = config.epsilon() if epsilon is None else epsilon
    x = x[None] if x.ndim == 0 else x
    if order == 2:
        inverse = jax.lax.rsqrt(jnp.sum(jnp.square(x), axis=axis, keepdims=True))
        return x * jnp.minimum(inverse, 1.0 / smallest)
    norm = jnp.linalg.norm(x, ord=order, axis=axis, keepdims=True)
    return x / jnp.maximum(norm, smallest)


@op.define
def moments(
    x: Array, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[Array, Array]:
    """Return the mean and the variance along axes.

    Half-precision numbers are summed in float32.

    Raises:
        NotImplementedError: `synchronized` is True.
    """
    if synchronized:
        raise NotImplementedError(
            "`moments`: `synchronized=True` is not supported. A placement on several devices "
            "computes the moments of the whole batch without it."
        )
    axes = tuple(axes) if isinstance(axes, list) else axes
    wide = x.astype(jnp.promote_types(x.dtype, "float32")) if x.dtype.itemsize < 4 else x
    mean, variance = (f(wide, axis=axes, keepdims=keepdims) for f in (jnp.mean, jnp.var))
    if wide is x:
        return mean, variance
    limits = jnp.finfo("float16")
    narrow = [jnp.clip(part, limits.min, limits.max).astype(x.dtype) for part in (mean, variance)]
    return narrow[0], narrow[1]


@op.define
def batch_normalization(
    x: Array,
    mean: Array,
    variance: Array,
    axis: int,
    offset: Array | None = None,
    scale: Array | None = None,
    epsilon: float = 1e-3,
) -> Array:
    """Return `scale * (x - mean) / sqrt(variance + epsilon) + offset`, along an axis."""
    shape = [1] * x.ndim
    shape[axis] = -1
    factor = jax.lax.rsqrt(variance + epsilon).reshape(shape)
    if scale is not None:
        factor = factor * scale.reshape(shape)
    shift = -mean.reshape(shape) * factor
    if offset is not None:
        shift = shift + offset.reshape(shape)
    return x * factor + shift


@op.define
def layer_normalization(
    x: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> Array:
    """Return the array with mean 0 and variance 1 along axes, times `gamma`, plus `beta`."""
    wide = x.astype(jnp.promote_types(x.dtype, "float32"))
    axes = (axis,) if isinstance(axis, int) else tuple(sorted(axis))
    mean = jnp.mean(wide, axes, keepdims=True)
    factor = jax.lax.rsqrt(
        jnp.var(wide, axes, keepdims=True) + (config.epsilon() if epsilon is None else epsilon)
    )
    shape = [x.shape[i] if i in {a % x.ndim for a in axes} else 1 for i in range(x.ndim)]
    if gamma is not None:
        factor = factor * gamma.astype(wide.dtype).reshape(shape)
    shift = -mean * factor
    if beta is not None:
        shift = shift + beta.astype(wide.dtype).reshape(shape)
    return (wide * factor + shift).astype(x.dtype)


@op.define
def rms_normalization(
    x: Array,
    scale: Array | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> Array:
    """Return the array divided by the root of its mean square along axes, times a scale."""
    wide = x.astype(jnp.promote_types(x.dtype, "float32"))
    wide = wide[None] if wide.ndim == 0 else wide
    mean_square = jnp.mean(jnp.square(wide), axis=axis, keepdims=True)
    wide = wide * jax.lax.rsqrt(mean_square + (config.epsilon() if epsilon is None else epsilon))
    if scale is not None:
        wide = wide * scale.astype(wide.dtype)
    return wide.astype(x.dtype)


# Attention.


@op.define
def dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    bias: Array | None = None,
    mask: Array | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Array:
    """Return the attention of queries to keys, applied to values.

    Args:
        query: `(batch, targets, heads, size)`.
        key: `(batch, sources, heads, size)`; with fewer heads, each serves a group of queries.
        value: `(batch, sources, heads, value size)`.
        bias: Added to the scaled dot products, `(batch, heads, targets, sources)`.
        mask: Booleans of this shape; False excludes a source.
        scale: The factor of the dot products; by default `1 / sqrt(size)`.
        is_causal: Whether each target attends only to the sources up to its own position.
        flash_attention: None or False; XLA chooses the kernels.
        attn_logits_soft_cap: None.

    Raises:
        ValueError: An array does not have 4 axes, or one of the last two arguments is given.
    """
    if not query.ndim == key.ndim == value.ndim == 4:
        raise ValueError(
            "`dot_product_attention`: query, key and value must have the shape (batch, time, heads,"
            f" size), received {query.shape}, {key.shape} and {value.shape}."
        )
    if flash_attention or attn_logits_soft_cap is not None:
        raise ValueError(
            "`dot_product_attention`: `flash_attention` and `attn_logits_soft_cap` are not "
            "supported. Leave them out: XLA chooses the kernels."
        )
    dtype = jnp.result_type(query, key, value)
    query, key, value = (array.astype(dtype) for array in (query, key, value))
    repeats = query.shape[2] // key.shape[2]
    key, value = jnp.repeat(key, repeats, axis=2), jnp.repeat(value, repeats, axis=2)
    wide = jnp.promote_types(dtype, "float32")
    scores = jnp.einsum("btnh,bsnh->bnts", query, key, preferred_element_type=wide)
    scores = scores * (query.shape[-1] ** -0.5 if scale is None else scale)
    if bias is not None:
        scores = scores + bias.astype(wide)
    if is_causal:
        causal = causal_mask(query.shape[1], key.shape[1])
        mask = causal if mask is None else mask.astype(bool) & causal
    if mask is not None:
        scores = jnp.where(mask, scores, -0.7 * jnp.finfo(wide).max)
    weights = jax.nn.softmax(scores.astype("float32"), axis=-1).astype(dtype)
    return jnp.einsum("bnts,bsnh->btnh", weights, value)


# Classes and losses.


@op.define
def one_hot(
    x: Array, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Array:
    """Return a new axis with 1 at the class and 0 elsewhere; float32 by default.

    Raises:
        ValueError: `sparse` is True.
    """
    _check_dense("one_hot", sparse)
    return jax.nn.one_hot(x, num_classes, axis=axis, dtype=dtype or config.floatx())


@op.define
def multi_hot(
    inputs: Array,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
) -> Array:
    """Return rows with 1 at each of several classes and 0 elsewhere; float32 by default.

    Raises:
        ValueError: `sparse` is True, or there is no `num_classes`.
    """
    _check_dense("multi_hot", sparse)
    if num_classes is None:
        raise ValueError("`multi_hot`: `num_classes` must be given.")
    rows = jax.nn.one_hot(
        inputs.astype("int32"), num_classes, axis=axis, dtype=dtype or config.floatx()
    )
    return jnp.max(rows, axis=1 if inputs.ndim > 1 else 0)


def _check_dense(operation: str, sparse: bool) -> None:
    if sparse:
        raise ValueError(f"`{operation}`: there are no sparse arrays; leave out `sparse=True`.")


@op.define
def categorical_crossentropy(
    target: Array, output: Array, from_logits: bool = False, axis: int = -1
) -> Array:
    """Return `-sum(target * log(output))` along an axis, for one-hot targets.

    Raises:
        ValueError: The shapes differ.
    """
    _check_shapes("categorical_crossentropy", target.shape, output.shape)
    return -jnp.sum(target * _log_probabilities(output, from_logits, axis), axis=axis)


@op.define
def sparse_categorical_crossentropy(
    target: Array, output: Array, from_logits: bool = False, axis: int = -1
) -> Array:
    """Return the negative logarithm of the output of each target class.

    Raises:
        ValueError: The shape of the targets is not that of the outputs without their last axis.
    """
    target = target.astype("int32")
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    _check_shapes("sparse_categorical_crossentropy", target.shape, output.shape[:-1])
    classes = jax.nn.one_hot(target, output.shape[axis], axis=axis)
    return -jnp.sum(classes * _log_probabilities(output, from_logits, axis), axis=axis)


@op.define
def binary_crossentropy(target: Array, output: Array, from_logits: bool = False) -> Array:
    """Return `-target * log(output) - (1 - target) * log(1 - output)` of each entry.

    Raises:
        ValueError: The shapes differ.
    """
    _check_shapes("binary_crossentropy", target.shape, output.shape)
    if from_logits:
        yes, no = jax.nn.log_sigmoid(output), jax.nn.log_sigmoid(-output)
    else:
        output = jnp.clip(output, config.epsilon(), 1.0 - config.epsilon())
        yes, no = jnp.log(output), jnp.log(1.0 - output)
    return -(target * yes + (1.0 - target) * no)


def _log_probabilities(output: Array, from_logits: bool, axis: int) -> Array:
    if from_logits:
        return jax.nn.log_softmax(output, axis)
    shares = output / jnp.sum(output, axis, keepdims=True)
    return jnp.log(jnp.clip(shares, config.epsilon(), 1.0 - config.epsilon()))


def _check_shapes(operation: str, target: Any, output: Any) -> None:
    if target != output:
        raise ValueError(
            f"`{operation}`: the targets must have the shape {output}, received {target}."
        )


@op.define
def psnr(x1: Array, x2: Array, max_val: float) -> Array:
    """Return the peak signal-to-noise ratio in decibels.

    Raises:
        ValueError: The shapes differ.
    """
    _check_shapes("psnr", x1.shape, x2.shape)
    error = jnp.mean(jnp.square(x1 - x2))
    return 20 * jnp.log10(jnp.asarray(max_val, x2.dtype)) - 10 * jnp.log10(error)


__all__ = op.names
