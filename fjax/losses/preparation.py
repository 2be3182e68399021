"""What stands before every loss and metric: one floating type, one shape, weights that fit."""

import jax.numpy as jnp

from fjax.typing import Array, ArrayLike, Shape

# Keras's `backend.epsilon()`: the distance that a probability keeps from 0 and 1.
EPSILON = 1e-7


def floating(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Array, Array]:
    """Return both in the floating type of `y_pred`, and in no narrower one than float32.

    Keras computes a half precision loss in half precision where it is called as a function; there
    `1 - 1e-7` is 1 and a cross-entropy of a sure answer is infinite, so it is float32 here.

    >>> import numpy as np
    >>> y_true, y_pred = floating(np.uint8([1, 0]), jnp.ones(2, "bfloat16"))
    >>> y_true.dtype.name, y_pred.dtype.name
    ('float32', 'float32')
    """
    y_pred = jnp.asarray(y_pred)
    dtype = jnp.promote_types(y_pred.dtype, jnp.float32)
    # Straight from numpy's int64, which JAX alone would first wrap round to int32.
    return jnp.asarray(y_true, dtype), y_pred.astype(dtype)


def align(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Return both with the same rank, where they differ in a last axis of size 1 alone.

    `(n,)` beside `(n, 1)` becomes `(n, 1)`; of longer shapes the one axis too many is dropped. Any
    other pair is returned as it came.

    >>> [array.shape for array in align(jnp.ones(4), jnp.ones((4, 1)))]
    [(4, 1), (4, 1)]
    >>> [array.shape for array in align(jnp.ones((4, 3, 1)), jnp.ones((4, 3)))]
    [(4, 3), (4, 3)]
    """
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return (y_true, y_pred[:, None]) if y_pred.ndim == 1 else (y_true[..., 0], y_pred)
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return (y_true[:, None], y_pred) if y_true.ndim == 1 else (y_true, y_pred[..., 0])
    return y_true, y_pred


def pair(owner: str, y_true: ArrayLike, y_pred: ArrayLike, hint: str = "") -> tuple[Array, Array]:
    """Return targets and predictions as floats of one shape.

    Args:
        owner: The loss or metric that an error names.
        y_true: The targets.
        y_pred: The predictions, of the same shape up to a last axis of size 1.
        hint: What to do where the shapes differ.

    Raises:
        ValueError: The shapes differ, also where numpy would broadcast them.

    >>> pair("mean_squared_error", jnp.ones((32, 3)), jnp.ones((32, 1)))
    Traceback (most recent call last):
        ...
    ValueError: `mean_squared_error`: y_true of shape (32, 3) does not fit y_pred of shape (32, 1).
    Give the targets the shape of the predictions, one column for each output.
    """
    y_true, y_pred = align(*floating(y_true, y_pred))
    if y_true.shape != y_pred.shape:
        raise mismatch(owner, "y_true", y_true.shape, y_pred.shape, hint)
    if y_pred.ndim == 0:
        raise ValueError(
            f"`{owner}` needs targets and predictions with a batch axis, received two scalars. "
            f"Give each a shape, as with [y]."
        )
    return y_true, y_pred


def mismatch(owner: str, name: str, true_shape: Shape, pred_shape: Shape, hint: str) -> ValueError:
    """Return the error for targets whose shape does not fit the predictions."""
    advice = hint or (
        "Give the targets the shape of the predictions, one column for each output."
        if len(true_shape) > 1 or len(pred_shape) > 1
        else "Give as many targets as predictions."
    )
    return ValueError(
        f"`{owner}`: {name} of shape {true_shape} does not fit y_pred of shape {pred_shape}. "
        f"{advice}"
    )


def fit_weights(owner: str, sample_weight: ArrayLike, shape: Shape) -> Array:
    """Return the weights with as many axes as the values that they weight.

    A weight belongs to the leading axes: `(n,)` weights a whole sample, `(n, t)` a time step of
    it. Axes behind these get size 1.

    Args:
        owner: The loss or metric that an error names.
        sample_weight: A scalar, or a shape that starts as the values' shape does.
        shape: The shape of the values.

    Raises:
        ValueError: The weights fit no leading axes of the values.

    >>> fit_weights("MeanSquaredError", jnp.ones(4), (4, 3)).shape
    (4, 1)
    """
    weights = jnp.asarray(sample_weight)
    weights = weights.astype(jnp.promote_types(weights.dtype, jnp.float32))
    given = weights.shape
    if weights.ndim == len(shape) + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    fitting = weights.ndim <= len(shape) and all(
        size == expected or (size == 1 and axis > 0)
        for axis, (size, expected) in enumerate(zip(weights.shape, shape, strict=False))
    )
    if not fitting:
        advice = (
            "The function gave one value for the whole batch: let it return one for each sample "
            "(arrays of shape (n,) get a last axis, as (n, 1))."
            if not shape
            else "Give one weight for each sample, or for each time step."
        )
        raise ValueError(
            f"`{owner}`: sample_weight of shape {given} does not fit values of shape {shape}. "
            f"{advice}"
        )
    return weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))


def divide(numerator: ArrayLike, denominator: ArrayLike) -> Array:
    """Return the quotient, and 0 where the denominator is 0.

    >>> print(divide(jnp.array([1.0, 1.0]), jnp.array([2.0, 0.0])))
    [0.5 0. ]
    """
    zero = jnp.equal(denominator, 0)
    return jnp.where(zero, 0.0, jnp.divide(numerator, jnp.where(zero, 1.0, denominator)))
