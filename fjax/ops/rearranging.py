"""Operations of `keras.ops.numpy` that move entries: shapes, axes, joining, splitting, indexing."""

# ruff: noqa: E501

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from fjax.ops.definition import UNARY, OperationTable
from fjax.typing import Array

op = OperationTable(__name__)

_SPLIT = "x: Array, indices_or_sections"

# Each line is an operation: the function, its parameters, its docstring.
# fmt: off
ravel = op(jnp.ravel, UNARY, "The entries as one axis.")
transpose = op(jnp.transpose, "x: Array, axes=None", "Axes in another order; reversed by default.")
swapaxes = op(jnp.swapaxes, "x: Array, axis1, axis2", "Two axes exchanged.")
moveaxis = op(jnp.moveaxis, "x: Array, source, destination", "Axes moved to other positions.")
expand_dims = op(jnp.expand_dims, "x: Array, axis", "New axes of size 1 at these positions.")
squeeze = op(jnp.squeeze, "x: Array, axis=None", "Without axes of size 1; None for all of them.")
flip = op(jnp.flip, "x: Array, axis=None", "Reversed order along axes; None for all axes.")
fliplr = op(jnp.fliplr, UNARY, "Reversed order along the second axis.")
flipud = op(jnp.flipud, UNARY, "Reversed order along the first axis.")
rot90 = op(jnp.rot90, "array: Array, k=1, axes=(0, 1)", "Rotate by `k` right angles in the plane of two axes.")
roll = op(jnp.roll, "x: Array, shift, axis=None", "Shifted along axes; what leaves one end enters the other.")
tile = op(jnp.tile, "x: Array, repeats", "The array repeated along each axis.")
repeat = op(jnp.repeat, "x: Array, repeats, axis=None", "Each entry repeated along an axis; None for the flat array.")
concatenate = op(jnp.concatenate, "xs: Arrays, axis=0", "Arrays joined along an axis.")
stack = op(jnp.stack, "x: Arrays, axis=0", "Arrays of one shape joined along a new axis.")
hstack = op(jnp.hstack, "xs: Arrays", "Arrays joined along the second axis; along the first if they have one.")
vstack = op(jnp.vstack, "xs: Arrays", "Arrays joined along the first axis; those of one axis are rows.")
dstack = op(jnp.dstack, "xs: Arrays", "Arrays joined along the third axis.")
append = op(jnp.append, "x1: Array, x2: Array, axis=None", "Two arrays joined along an axis; None joins their entries.")
split = op(jnp.split, f"{_SPLIT}, axis=0", "Parts along an axis: a number of equal parts, or parts between indices.")
array_split = op(jnp.array_split, f"{_SPLIT}, axis=0", "Parts along an axis, whose sizes may differ by 1.")
hsplit = op(jnp.hsplit, _SPLIT, "Parts along the second axis; along the first if it is the only one.")
vsplit = op(jnp.vsplit, _SPLIT, "Parts along the first axis.")
dsplit = op(jnp.dsplit, _SPLIT, "Parts along the third axis.")
take = op(jnp.take, "x: Array, indices: Array, axis=None", "Entries at indices along an axis; None for the flat array.")
take_along_axis = op(jnp.take_along_axis, "x: Array, indices: Array, axis=None", "Entries at indices that differ along the other axes.")
diag = op(jnp.diag, "x: Array, k=0", "The `k`-th diagonal of a matrix, or a matrix with this diagonal.")
diagflat = op(jnp.diagflat, "x: Array, k=0", "A matrix with the entries of `x` on the `k`-th diagonal.")
diagonal = op(jnp.diagonal, "x: Array, offset=0, axis1=0, axis2=1", "The diagonals of the matrices in two axes.")
tril = op(jnp.tril, "x: Array, k=0", "The lower triangle: zeros above the `k`-th diagonal.")
triu = op(jnp.triu, "x: Array, k=0", "The upper triangle: zeros below the `k`-th diagonal.")
unravel_index = op(jnp.unravel_index, "indices: Array, shape", "Indices of each axis for indices of the flat array.")
view = op(lambda x, dtype: x.view(dtype), "x: Array, dtype=None", "The same bytes as another dtype.", "view")
# fmt: on


@op.define
def reshape(x: Array, newshape: Any) -> Array:
    """Return the entries in another shape.

    Args:
        x: The array.
        newshape: The shape. -1 is computed from the other sizes; None is the size of `x` along the
            same axis, such as that of the batch axis of a symbolic tensor.
    """
    sizes = newshape if isinstance(newshape, list | tuple) else (newshape,)
    return jnp.reshape(x, known_sizes("reshape", sizes, x.shape))


@op.define
def broadcast_to(x: Array, shape: Any) -> Array:
    """Return the array repeated to a shape; None keeps the size of an axis."""
    sizes = shape if isinstance(shape, list | tuple) else (shape,)
    missing = len(sizes) - x.ndim
    return jnp.broadcast_to(x, known_sizes("broadcast_to", sizes, (None,) * missing + x.shape))


def known_sizes(operation: str, sizes: Any, shape: Any) -> tuple[Any, ...]:
    """Return sizes with each None replaced by the size of the same axis of a shape.

    >>> known_sizes("reshape", (None, -1), (8, 2, 3))
    (8, -1)
    """
    known = []
    for axis, size in enumerate(sizes):
        if size is None and (axis >= len(shape) or shape[axis] is None):
            raise ValueError(
                f"`{operation}`: the size None of axis {axis} in {tuple(sizes)} is that of the same "
                f"axis of the array, which has the shape {tuple(shape)}. Give the size, or -1."
            )
        known.append(shape[axis] if size is None else size)
    return tuple(known)


@op.define
def pad(x: Array, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Array:
    """Return the array with entries added at the ends of its axes.

    Args:
        x: The array.
        pad_width: A number for all ends, a pair (before, after), or a pair for each axis.
        mode: "constant", "reflect", "symmetric", or another mode of `numpy.pad`.
        constant_values: The added value of the mode "constant"; 0 by default.

    Raises:
        ValueError: `constant_values` is given for another mode.
    """
    if constant_values is None:
        return jnp.pad(x, pad_width, mode)
    if mode != "constant":
        raise ValueError(
            f"`pad`: `constant_values` is for the mode 'constant', received the mode {mode!r}."
        )
    return jnp.pad(x, pad_width, mode, constant_values=constant_values)


@op.define
def where(condition: Array, x1: Array | None = None, x2: Array | None = None) -> Any:
    """Return `x1` where the condition holds and `x2` elsewhere; without them, the indices."""
    return jnp.where(condition) if x1 is None and x2 is None else jnp.where(condition, x1, x2)  # type: ignore[arg-type]


@op.define
def select(condlist: list[Array], choicelist: list[Array], default: Any = 0) -> Array:
    """Return for each entry the choice of the first condition that holds, else the default."""
    return jnp.select(condlist, choicelist, default=default)


@op.define
def get_item(x: Array, key: Any) -> Any:
    """Return `x[key]`, for integers, slices, `...` and None."""
    return x[key]


@op.define
def size(x: Array) -> int:
    """Return the number of entries."""
    return x.size


@op.function
def ndim(x: Any) -> int:
    """Return the number of axes.

    >>> ndim([[1, 2, 3]])
    2
    """
    return int(x.ndim if hasattr(x, "ndim") else jnp.ndim(jnp.asarray(x)))


@op.function
def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None
) -> Callable[..., Any]:
    """Return a function of arrays that applies a function of single entries to each of them.

    >>> vectorize(lambda x, y: x * y)(jnp.arange(3), 2).tolist()
    [0, 2, 4]
    """
    return jnp.vectorize(pyfunc, excluded=excluded or set(), signature=signature)


__all__ = op.names
