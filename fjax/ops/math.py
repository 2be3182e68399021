"""Operations of `keras.ops.math`: segments, ranks, special functions, distances, complex views."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.ops.definition import UNARY, OperationTable
from fjax.typing import Array

op = OperationTable(__name__)

rsqrt = op.entrywise(lambda x: jax.lax.rsqrt(x), UNARY, "`1 / sqrt(x)`.", "rsqrt")
erf = op.entrywise(jax.lax.erf, UNARY, "Error function.")
erfc = op.entrywise(jax.scipy.special.erfc, UNARY, "`1 - erf(x)`, exact for large entries.")
erfinv = op.entrywise(jax.scipy.special.erfinv, UNARY, "Inverse of the error function.")


def _segment(kind: str, doc: str) -> Any:
    function = getattr(jax.ops, f"segment_{kind}")

    def reduce(data: Array, segment_ids: Array, num_segments: int | None, sorted: bool) -> Array:
        if num_segments is None:
            raise ValueError(
                f"`segment_{kind}`: `num_segments` must be given, as the shape of the result "
                "cannot depend on the ids."
            )
        return function(data, segment_ids, num_segments, indices_are_sorted=sorted)

    parameters = "data: Array, segment_ids: Array, num_segments=None, sorted=False"
    return op(reduce, parameters, f"{doc} of the rows with the same id.", f"segment_{kind}")


segment_sum = _segment("sum", "Sum")
segment_max = _segment("max", "Maximum")
segment_min = _segment("min", "Minimum")
segment_prod = _segment("prod", "Product")


@op.define
def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """Return `log(sum(exp(x)))` along axes, without overflow."""
    return jax.scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)


@op.define
def logdet(x: Array) -> Array:
    """Return the logarithm of the absolute value of determinants."""
    return jnp.linalg.slogdet(x)[1]


@op.define
def top_k(x: Array, k: int, sorted: bool = True) -> tuple[Array, Array]:
    """Return the `k` largest entries along the last axis, descending, and their indices."""
    values, indices = jax.lax.top_k(x, k)
    return values, indices


@op.define
def in_top_k(targets: Array, predictions: Array, k: int) -> Array:
    """Return whether the prediction for each target class is among the `k` largest of its row."""
    score = jnp.take_along_axis(predictions, targets[..., None], axis=-1)
    score = jnp.where(jnp.isnan(score), -jnp.inf, score)
    return jnp.sum(predictions > score, axis=-1) < k


@op.define
def cdist(x: Array, y: Array) -> Array:
    """Return the Euclidean distances of each row of `x` to each row of `y`.

    Raises:
        ValueError: An array has less than two axes, or the rows differ in length.
    """
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        raise ValueError(
            "`cdist`: `x` and `y` must have two axes or more, and rows of the same length, "
            f"received {x.shape} and {y.shape}."
        )
    return jnp.sqrt(jnp.sum(jnp.square(x[..., :, None, :] - y[..., None, :, :]), axis=-1))


@op.define
def view_as_complex(x: Array) -> Array:
    """Return complex numbers, given their real and imaginary parts along a last axis of size 2."""
    if x.shape[-1:] != (2,):
        raise ValueError(
            "`view_as_complex`: the last axis must have size 2, for the real and the imaginary "
            f"part, received {x.shape}."
        )
    return jax.lax.complex(x[..., 0], x[..., 1])


@op.define
def view_as_real(x: Array) -> Array:
    """Return the real and imaginary parts of complex numbers along a new last axis."""
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)


__all__ = op.names
