"""Operations of `keras.ops.numpy` that sum products: `matmul`, `einsum`, `tensordot` and kin."""

# ruff: noqa: E501

from typing import Any

import jax.numpy as jnp

from fjax.ops.definition import BINARY, OperationTable
from fjax.typing import Array

op = OperationTable(__name__)

# Each line is an operation: the function, its parameters, its docstring.
# fmt: off
dot = op(jnp.dot, BINARY, "Sum of products along the last axis of `x1` and the last but one of `x2`.")
vdot = op(jnp.vdot, BINARY, "Sum of the products of all entries; `x1` is conjugated.")
inner = op(jnp.inner, BINARY, "Sum of products along the last axes.")
outer = op(jnp.outer, BINARY, "Products of each entry of `x1` with each of `x2`, as a matrix.")
kron = op(jnp.kron, BINARY, "Kronecker product.")
cross = op(jnp.cross, "x1: Array, x2: Array, axisa=-1, axisb=-1, axisc=-1, axis=None", "Cross product of vectors of 3 entries.")
tensordot = op(jnp.tensordot, "x1: Array, x2: Array, axes=2", "Sum of products along pairs of axes, or the last axes of `x1` and the first of `x2`.")
trace = op(jnp.trace, "x: Array, offset=0, axis1=0, axis2=1", "Sum of the diagonal of the matrices in two axes.")
# fmt: on


@op.define
def matmul(x1: Array, x2: Array) -> Array:
    """Return the matrix product of the last two axes; products of int8 are summed in int32."""
    return jnp.matmul(x1, x2, preferred_element_type=_sum_dtype([x1, x2]))


@op.define
def einsum(subscripts: str, *operands: Array, **kwargs: Any) -> Array:
    """Return a sum of products in Einstein's notation, such as "ij,jk->ik"."""
    return jnp.einsum(subscripts, *operands, preferred_element_type=_sum_dtype(operands), **kwargs)


@op.define
def slogdet(x: Array) -> tuple[Array, Array]:
    """Return the sign, and the logarithm of the absolute value, of determinants."""
    sign, logarithm = jnp.linalg.slogdet(x)
    return sign, logarithm


def _sum_dtype(operands: Any) -> Any:
    return jnp.int32 if {operand.dtype.name for operand in operands} == {"int8"} else None


__all__ = op.names
