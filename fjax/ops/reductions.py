"""Operations of `keras.ops.numpy` along axes: sums, extremes, statistics, sorting, sets."""

# ruff: noqa: E501

import builtins
from typing import Any

import jax.numpy as jnp

from fjax.ops.definition import REDUCTION, UNARY, OperationTable
from fjax.typing import Array

op = OperationTable(__name__)

_CUMULATIVE = "x: Array, axis=None, dtype=None"
_EXTREME = "x: Array, axis=None, keepdims=False, initial=None"
_QUANTILE = "x: Array, q: Array, axis=None, method='linear', keepdims=False"

# Each line is an operation: the function, its parameters, its docstring. An axis of None stands for
# all axes; `keepdims` leaves axes of size 1.
# fmt: off
sum = op(jnp.sum, REDUCTION, "Sum along axes.")
prod = op(jnp.prod, "x: Array, axis=None, keepdims=False, dtype=None", "Product along axes.")
max = op(jnp.max, _EXTREME, "Largest entry along axes.")
min = op(jnp.min, _EXTREME, "Smallest entry along axes.")
amax = op(jnp.max, REDUCTION, "Largest entry along axes.", "amax")
amin = op(jnp.min, REDUCTION, "Smallest entry along axes.", "amin")
ptp = op(jnp.ptp, REDUCTION, "Difference of the largest and the smallest entry along axes.")
all = op(jnp.all, REDUCTION, "Whether all entries along axes are not 0.")
any = op(jnp.any, REDUCTION, "Whether any entry along axes is not 0.")
argmax = op(jnp.argmax, REDUCTION, "Index of the largest entry along an axis; None for the flat array.")
argmin = op(jnp.argmin, REDUCTION, "Index of the smallest entry along an axis; None for the flat array.")
std = op(jnp.std, REDUCTION, "Standard deviation along axes.")
count_nonzero = op(jnp.count_nonzero, "x: Array, axis=None", "Number of entries along axes that are not 0.")
quantile = op(jnp.quantile, _QUANTILE, "Quantiles for `q` in [0, 1] along axes.")
percentile = op(jnp.percentile, _QUANTILE, "Percentiles for `q` in [0, 100] along axes.")
cumsum = op(jnp.cumsum, _CUMULATIVE, "Cumulative sum along an axis; None for the flat array.")
cumprod = op(jnp.cumprod, _CUMULATIVE, "Cumulative product along an axis; None for the flat array.")
diff = op(jnp.diff, "a: Array, n=1, axis=-1", "Differences of neighbors along an axis, `n` times.")
trapezoid = op(jnp.trapezoid, "y: Array, x=None, dx=1.0, axis=-1", "Integral along an axis by the trapezoidal rule, at points `x` or in steps of `dx`.")

nansum = op(jnp.nansum, REDUCTION, "Sum along axes; NaN counts as 0.")
nanprod = op(jnp.nanprod, REDUCTION, "Product along axes; NaN counts as 1.")
nanmax = op(jnp.nanmax, REDUCTION, "Largest entry along axes that is not NaN.")
nanmin = op(jnp.nanmin, REDUCTION, "Smallest entry along axes that is not NaN.")
nanargmax = op(jnp.nanargmax, REDUCTION, "Index of the largest entry that is not NaN along an axis.")
nanargmin = op(jnp.nanargmin, REDUCTION, "Index of the smallest entry that is not NaN along an axis.")
nanmean = op(jnp.nanmean, REDUCTION, "Mean along axes of the entries that are not NaN.")
nanmedian = op(jnp.nanmedian, REDUCTION, "Median along axes of the entries that are not NaN.")
nanstd = op(jnp.nanstd, REDUCTION, "Standard deviation along axes of the entries that are not NaN.")
nanvar = op(jnp.nanvar, REDUCTION, "Variance along axes of the entries that are not NaN.")
nanquantile = op(jnp.nanquantile, _QUANTILE, "Quantiles along axes of the entries that are not NaN.")
nanpercentile = op(jnp.nanpercentile, _QUANTILE, "Percentiles along axes of the entries that are not NaN.")
nancumsum = op(jnp.nancumsum, _CUMULATIVE, "Cumulative sum along an axis; NaN counts as 0.")
nancumprod = op(jnp.nancumprod, _CUMULATIVE, "Cumulative product along an axis; NaN counts as 1.")

sort = op(jnp.sort, "x: Array, axis=-1", "Entries in ascending order along an axis.")
argpartition = op(jnp.argpartition, "x: Array, kth, axis=-1", "Indices that put the `kth` smallest entry into its place, smaller ones before it.")
searchsorted = op(jnp.searchsorted, "sorted_sequence: Array, values: Array, side='left'", "Positions at which values are to be inserted into a sorted sequence of one axis.")
digitize = op(jnp.digitize, "x: Array, bins: Array", "Index of the bin of each entry.")
histogram = op(jnp.histogram, "x: Array, bins=10, range=None", "Number of entries in each of `bins` equal bins, and the edges of the bins.")
nonzero = op(jnp.nonzero, UNARY, "Indices of the entries that are not 0, one array for each axis.")
unique = op(jnp.unique, "x: Array, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None, fill_value=None", "The different entries; with a `size` also in a traced program.")
isin = op(jnp.isin, "x1: Array, x2: Array, assume_unique=False, invert=False", "Whether each entry of `x1` occurs in `x2`.")
allclose = op(jnp.allclose, "x1: Array, x2: Array, rtol=1e-5, atol=1e-8, equal_nan=False", "Whether all `|x1 - x2| <= atol + rtol * |x2|`.")
corrcoef = op(jnp.corrcoef, UNARY, "Correlation coefficients of the rows.")
correlate = op(jnp.correlate, "x1: Array, x2: Array, mode='valid'", "Cross-correlation of two sequences of one axis.")
# fmt: on


@op.define
def mean(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """Mean along axes; half-precision numbers are summed in float32."""
    is_inexact = jnp.issubdtype(x.dtype, jnp.inexact)
    wide = jnp.promote_types(x.dtype, "float32")
    result = jnp.mean(x, axis=axis, keepdims=keepdims, dtype=wide)
    return result.astype(x.dtype) if is_inexact else result


@op.define
def var(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """Variance along axes; half-precision numbers are summed in float32."""
    is_inexact = jnp.issubdtype(x.dtype, jnp.inexact)
    wide = jnp.promote_types(x.dtype, "float32")
    result = jnp.var(x, axis=axis, keepdims=keepdims, dtype=wide)
    return result.astype(x.dtype) if is_inexact else result


@op.define
def median(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """Median along axes."""
    return jnp.median(x, axis=axis, keepdims=keepdims)


@op.define
def average(x: Array, axis: Any = None, weights: Array | None = None) -> Array:
    """Mean along axes, weighted if there are weights."""
    dtype = jnp.result_type(x, 1.0, *([] if weights is None else [weights]))
    weights = None if weights is None else weights.astype(dtype)
    return jnp.average(x.astype(dtype), axis=axis, weights=weights)


@op.define
def argsort(x: Array, axis: int | None = -1) -> Array:
    """Return the indices that sort along an axis; None sorts the flat array."""
    return jnp.argsort(x, axis=None if x.ndim == 0 else axis)


@op.define
def bincount(
    x: Array, weights: Array | None = None, minlength: int = 0, sparse: bool = False
) -> Array:
    """Return how often each integer from 0 occurs, or the sum of its weights.

    The length is that of the largest integer, and at least `minlength`, so that it does not work in
    a traced program. If `x` has two axes, the integers of each row are counted.

    Raises:
        ValueError: `sparse` is True.
    """
    if sparse:
        raise ValueError("`bincount`: there are no sparse arrays; leave out `sparse=True`.")
    length = builtins.max(int(jnp.max(x)) + 1, minlength)
    if x.ndim == 1:
        return jnp.bincount(x, weights=weights, length=length)
    rows = [None] * len(x) if weights is None else list(weights)
    return jnp.stack([jnp.bincount(*pair, length=length) for pair in zip(x, rows, strict=True)])


__all__ = op.names
