"""Operations of `keras.ops.linalg`: decompositions, solutions, norms of matrices."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg

from fjax.errors import one_of
from fjax.ops.definition import UNARY, OperationTable
from fjax.typing import Array, PyTree

op = OperationTable(__name__)

det = op(jnp.linalg.det, UNARY, "Determinants of matrices.")
inv = op(jnp.linalg.inv, UNARY, "Inverse matrices.")
solve = op(jnp.linalg.solve, "a: Array, b: Array", "The solution `x` of `a @ x = b`.")
pinv = op(jnp.linalg.pinv, "x: Array, rcond=None", "Pseudo-inverse matrices.")


@op.define
def eig(x: Array) -> tuple[Array, Array]:
    """Return the eigenvalues and the eigenvectors of matrices; on CPUs only."""
    values, vectors = jnp.linalg.eig(x)
    return values, vectors


@op.define
def svd(x: Array, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Return the singular value decomposition `u`, `s`, `vh`; without `compute_uv` only `s`."""
    parts = jnp.linalg.svd(x, full_matrices=full_matrices, compute_uv=compute_uv)
    return tuple(parts) if compute_uv else parts


@op.define
def eigh(x: Array) -> tuple[Array, Array]:
    """Return the eigenvalues, ascending, and the eigenvectors of symmetric matrices."""
    values, vectors = jnp.linalg.eigh(x)
    return values, vectors


@op.define
def cholesky(x: Array, upper: bool = False) -> Array:
    """Return the triangular Cholesky factors of positive definite matrices.

    Raises:
        ValueError: A matrix is not positive definite. In a traced program its factor is NaN.
    """
    factor = jnp.linalg.cholesky(x, upper=upper)
    if not isinstance(factor, jax.core.Tracer) and bool(jnp.isnan(factor).any()):
        raise ValueError("`cholesky`: a matrix is not positive definite.")
    return factor


@op.define
def cholesky_inverse(x: Array, upper: bool = False) -> Array:
    """Return the inverse of a matrix, given its triangular Cholesky factor."""
    inverse = jax.scipy.linalg.solve_triangular(x, jnp.eye(len(x), dtype=x.dtype), lower=not upper)
    return inverse @ inverse.T if upper else inverse.T @ inverse


@op.define
def lu_factor(x: Array) -> tuple[Array, Array]:
    """Return the LU decomposition of matrices, in one array, and the pivots."""
    return jax.scipy.linalg.lu_factor(x)


@op.define
def qr(x: Array, mode: str = "reduced") -> tuple[Array, Array]:
    """Return the QR decomposition of matrices; `mode` is "reduced" or "complete"."""
    one_of("qr", "mode", mode, ["reduced", "complete"])
    orthogonal, triangular = jnp.linalg.qr(x, mode=mode)
    return orthogonal, triangular


@op.define
def solve_triangular(a: Array, b: Array, lower: bool = False) -> Array:
    """Return the solution `x` of `a @ x = b` for upper or lower triangular matrices."""
    return jax.scipy.linalg.solve_triangular(a, b, lower=lower)


@op.define
def lstsq(a: Array, b: Array, rcond: float | None = None) -> Array:
    """Return the `x` for which `a @ x` is nearest to `b`."""
    return jnp.linalg.lstsq(a, b, rcond=rcond)[0]


@op.define
def matrix_rank(x: Array, tol: float | None = None) -> Array:
    """Return the ranks of matrices: the number of singular values above `tol`."""
    return jnp.linalg.matrix_rank(x, rtol=tol).astype("int32")


@op.define
def norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    """Return the norm of vectors along an axis, or of matrices along two axes.

    Args:
        x: The array.
        ord: The order of the norm, as for `numpy.linalg.norm`.
        axis: The axes; None for the whole array.
        keepdims: Whether the axes remain, with size 1.
    """
    inexact = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype("float32")
    return jnp.linalg.norm(inexact, ord=ord, axis=axis, keepdims=keepdims)


@op.function
def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> PyTree:
    """Return a function's value and its derivative in the direction of the tangents.

    >>> value, change = jvp(lambda x: x**2, (3.0,), (1.0,))
    >>> float(value), float(change)
    (9.0, 6.0)
    """
    return jax.jvp(fun, tuple(primals), tuple(tangents), has_aux=has_aux)


__all__ = op.names
