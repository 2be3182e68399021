"""Convert the arguments of losses and metrics: one dtype, one shape, weights that broadcast."""

import jax.numpy as jnp

from fjax.errors import is_integer
from fjax.typing import Array, ArrayLike, DType, Shape

# Keras's `backend.epsilon()`: how near to 0 and 1 a probability may come.
EPSILON = 1e-7


def as_floats(y_true: ArrayLike, y_pred: ArrayLike, dtype: str = "float32") -> tuple[Array, Array]:
    """Return both arrays in the floating dtype of `y_pred`, or in float32 if that is narrower.

    Keras computes the function of a loss in half precision if its arguments are. There `1 - 1e-7`
    rounds to 1, and the cross-entropy of a certain prediction would be infinite.

    Args:
        y_true: Targets.
        y_pred: Predictions.
        dtype: The dtype of a loss; if it is not "float32", the predictions are cast to it. The
            targets, which may be class ids, are never narrower than float32.

    >>> import numpy as np
    >>> y_true, y_pred = as_floats(np.uint8([1, 0]), jnp.ones(2, "bfloat16"))
    >>> y_true.dtype.name, y_pred.dtype.name
    ('float32', 'float32')
    """
    y_pred = cast_floats(jnp.asarray(y_pred), dtype)
    # The dtype is converted by numpy: JAX would first convert int64 to int32, with overflow.
    return jnp.asarray(y_true, jnp.promote_types(y_pred.dtype, jnp.float32)), y_pred


def cast_floats(values: Array, dtype: str) -> Array:
    """Return the values in a dtype; for "float32" they keep a wider one.

    >>> cast_floats(jnp.ones(2, "bfloat16"), "float32").dtype.name
    'float32'
    """
    if dtype == "float32":
        return values.astype(jnp.promote_types(values.dtype, jnp.float32))
    return values.astype(dtype)


def dtype_name(owner: str, dtype: DType) -> str:
    """Return the name of a `dtype` argument; None is "float32".

    Raises:
        ValueError: It is not a dtype.

    >>> dtype_name("Mean", None), dtype_name("Mean", jnp.bfloat16)
    ('float32', 'bfloat16')
    """
    try:
        return "float32" if dtype is None else jnp.dtype(dtype).name
    except TypeError:
        raise ValueError(
            f"`{owner}`: `dtype` must be a dtype or its name, such as 'float32', received "
            f"{dtype!r}."
        ) from None


def align(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Return both arrays with equal rank, if they differ only in a last axis of size 1.

    Shapes `(n,)` and `(n, 1)` become `(n, 1)`. From an array of higher rank the additional axis is
    removed. All other pairs, and those with a number of shape `()`, are returned unchanged.

    >>> [array.shape for array in align(jnp.ones(4), jnp.ones((4, 1)))]
    [(4, 1), (4, 1)]
    >>> [array.shape for array in align(jnp.ones((4, 3, 1)), jnp.ones((4, 3)))]
    [(4, 3), (4, 3)]
    """
    if y_true.ndim == 0 or y_pred.ndim == 0:
        return y_true, y_pred
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return (y_true, y_pred[:, None]) if y_pred.ndim == 1 else (y_true[..., 0], y_pred)
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return (y_true[:, None], y_pred) if y_true.ndim == 1 else (y_true, y_pred[..., 0])
    return y_true, y_pred


def prepare_pair(
    owner: str, y_true: ArrayLike, y_pred: ArrayLike, hint: str = ""
) -> tuple[Array, Array]:
    """Return targets and predictions as floating arrays of one shape.

    Args:
        owner: The loss or metric that an error names.
        y_true: The targets, or one number for all.
        y_pred: The predictions, of the same shape up to a last axis of size 1, or one number.
        hint: What an error for different shapes tells the user to do.

    Raises:
        ValueError: The shapes differ, even if numpy could broadcast them.

    >>> prepare_pair("mean_squared_error", jnp.ones((32, 3)), jnp.ones((32, 1)))
    Traceback (most recent call last):
        ...
    ValueError: `mean_squared_error`: y_true of shape (32, 3) does not fit y_pred of shape (32, 1).
    Give the targets the shape of the predictions, one column for each output.
    """
    y_true, y_pred = as_floats(y_true, y_pred)
    # A number is not a mistake: it is the target of all predictions, or the prediction of all.
    shape = y_true.shape or y_pred.shape
    y_true, y_pred = (
        array if array.shape else jnp.broadcast_to(array, shape) for array in (y_true, y_pred)
    )
    y_true, y_pred = align(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise shape_error(owner, "y_true", y_true.shape, y_pred.shape, hint)
    if y_pred.ndim == 0:
        raise ValueError(
            f"`{owner}` needs targets and predictions with a batch axis, received two scalars. "
            f"Give each a batch axis, as with [y]."
        )
    return y_true, y_pred


def shape_error(
    owner: str, name: str, true_shape: Shape, pred_shape: Shape, hint: str
) -> ValueError:
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


def expand_weights(owner: str, sample_weight: ArrayLike, shape: Shape) -> Array:
    """Return the weights with the rank of the values that they multiply.

    Weights belong to leading axes: `(n,)` has one for each sample, `(n, t)` one for each time step,
    `(1, t)` the same ones for all samples. The added axes have size 1.

    Args:
        owner: The loss or metric that an error names.
        sample_weight: A scalar, or an array whose axes are leading axes of the values.
        shape: The shape of the values.

    Raises:
        ValueError: The shape of the weights does not fit the leading axes of the values.

    >>> expand_weights("MeanSquaredError", jnp.ones(4), (4, 3)).shape
    (4, 1)
    """
    weights = jnp.asarray(sample_weight)
    weights = weights.astype(jnp.promote_types(weights.dtype, jnp.float32))
    received = weights.shape
    if weights.ndim == len(shape) + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    fits = weights.ndim <= len(shape) and all(
        size == expected or (size == 1 and weights.ndim > 1)
        for size, expected in zip(weights.shape, shape, strict=False)
    )
    if not fits:
        advice = (
            "The function returned one value for the whole batch: return one for each sample "
            "(the function receives arrays of shape (n,) as (n, 1))."
            if not shape
            else "Give one weight for each sample, or for each time step."
        )
        raise ValueError(
            f"`{owner}`: sample_weight of shape {received} does not fit values of shape {shape}. "
            f"{advice}"
        )
    return weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))


def full_weights(owner: str, sample_weight: ArrayLike | None, shape: Shape) -> Array:
    """Return one weight for each value, 1 where there are no sample weights.

    The arguments and errors are those of `expand_weights`.

    >>> print(full_weights("AUC", [1.0, 2.0], (2, 2)))
    [[1. 1.]
     [2. 2.]]
    """
    weights = jnp.ones(shape)
    if sample_weight is None:
        return weights
    return weights * expand_weights(owner, sample_weight, shape)


def divide_no_nan(numerator: ArrayLike, denominator: ArrayLike) -> Array:
    """Return the quotient, or 0 where the denominator is 0.

    >>> print(divide_no_nan(jnp.array([1.0, 1.0]), jnp.array([2.0, 0.0])))
    [0.5 0. ]
    """
    is_zero = jnp.equal(denominator, 0)
    return jnp.where(is_zero, 0.0, jnp.divide(numerator, jnp.where(is_zero, 1.0, denominator)))


def check_axis(owner: str, axis: int) -> None:
    """Raise ValueError unless the axis is one integer."""
    if not is_integer(axis):
        raise ValueError(f"`{owner}`: `axis` must be one integer, received {axis!r}.")
