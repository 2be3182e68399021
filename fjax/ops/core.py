"""Operations of `keras.ops.core`: conversion, slices and updates, and control flow."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import integer_at_least, one_of
from fjax.ops.definition import OperationTable
from fjax.typing import Array, PyTree

op = OperationTable(__name__)

stop_gradient = op(
    jax.lax.stop_gradient, "variable: Array", "The same values, through which no gradient flows."
)


# Conversion.


@op.function
def shape(x: Any) -> tuple[int | None, ...]:
    """Return the shape of an array, with None for an axis of any size of a symbolic tensor.

    >>> shape(jnp.ones((2, 3)))
    (2, 3)
    """
    return tuple(x.shape if hasattr(x, "shape") else jnp.shape(jnp.asarray(x)))


@op.function
def dtype(x: Any) -> str:
    """Return the name of the dtype of an array.

    >>> dtype(jnp.ones(2))
    'float32'
    """
    kind = x.dtype if hasattr(x, "dtype") else jnp.asarray(x).dtype
    return kind if isinstance(kind, str) else np.dtype(kind).name


@op.function
def is_tensor(x: Any) -> bool:
    """Return whether a value is a JAX array.

    >>> is_tensor(jnp.ones(2)), is_tensor(np.ones(2))
    (True, False)
    """
    return isinstance(x, jax.Array)


@op.define
def convert_to_tensor(
    x: Array, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Array:
    """Return numbers, lists of numbers or an array as a JAX array.

    Raises:
        ValueError: `sparse` or `ragged` is True.
    """
    if sparse or ragged:
        raise ValueError("`convert_to_tensor`: there are no sparse or ragged arrays.")
    return x if dtype is None else x.astype(dtype)


@op.function
def convert_to_numpy(x: Any) -> np.ndarray:
    """Return an array, or numbers, as a numpy array.

    >>> convert_to_numpy(jnp.ones(2))
    array([1., 1.], dtype=float32)
    """
    return np.asarray(getattr(x, "value", x))


@op.define
def cast(x: Array, dtype: Any) -> Array:
    """Return the array in another dtype."""
    return x.astype(dtype)


@op.define
def saturate_cast(x: Array, dtype: Any) -> Array:
    """Return the array in another dtype, with entries limited to its range."""
    target = jnp.dtype(dtype)
    if target.kind == "b" or jnp.issubdtype(target, jnp.complexfloating):
        return x.astype(target)
    info = jnp.iinfo(target) if jnp.issubdtype(target, jnp.integer) else jnp.finfo(target)
    if x.dtype.kind == "b":
        x = x.astype(jnp.uint8)
    own = jnp.iinfo(x.dtype) if jnp.issubdtype(x.dtype, jnp.integer) else jnp.finfo(x.dtype)
    low, high = max(float(info.min), float(own.min)), min(float(info.max), float(own.max))
    if jnp.issubdtype(x.dtype, jnp.integer):
        return jnp.clip(x, int(low), int(high)).astype(target)
    # The largest integers have no exact floating-point number: these entries are set at the end.
    result = jnp.clip(x, low, high).astype(target)
    if jnp.issubdtype(target, jnp.integer):
        result = jnp.where(x >= info.max, info.max, jnp.where(x <= info.min, info.min, result))
    return result.astype(target)


# Slices and updates.


@op.define
def slice(inputs: Array, start_indices: Any, shape: Sequence[int]) -> Array:
    """Return a block of an array.

    Args:
        inputs: The array.
        start_indices: Where the block begins, an index for each axis.
        shape: The shape of the block; -1 is all that remains of an axis.
    """
    sizes = [
        inputs.shape[axis] - int(start_indices[axis]) if size == -1 else size
        for axis, size in enumerate(shape)
    ]
    return jax.lax.dynamic_slice(inputs, start_indices, sizes)


@op.define
def slice_update(inputs: Array, start_indices: Any, updates: Array) -> Array:
    """Return an array with a block replaced, which begins at an index for each axis."""
    return jax.lax.dynamic_update_slice(inputs, updates, start_indices)


@op.define
def scatter(indices: Array, values: Array, shape: Sequence[int]) -> Array:
    """Return zeros of a shape with values added at indices, `(…, axes of the result)`."""
    return jnp.zeros(shape, values.dtype).at[tuple(jnp.moveaxis(indices, -1, 0))].add(values)


@op.define
def scatter_update(
    inputs: Array, indices: Array, updates: Array, reduction: str | None = None
) -> Array:
    """Return an array with entries replaced at indices, `(updates, axes of the array)`.

    Args:
        inputs: The array.
        indices: The indices.
        updates: The new values.
        reduction: None to replace; "add", "max", "min" or "mul" to combine.
    """
    one_of("scatter_update", "reduction", reduction, [None, "add", "max", "min", "mul"])
    place = inputs.at[tuple(jnp.transpose(indices))]
    method = {None: "set", "mul": "multiply"}.get(reduction, reduction)
    return getattr(place, str(method))(updates)


@op.define
def unstack(x: Array, num: int | None = None, axis: int = 0) -> list[Array]:
    """Return the slices along an axis as a list."""
    return [jax.lax.index_in_dim(x, i, axis, keepdims=False) for i in range(x.shape[axis])]


# Control flow.


@op.define
def cond(pred: Array, true_fn: Callable[[], PyTree], false_fn: Callable[[], PyTree]) -> PyTree:
    """Return `true_fn()` if a boolean is True, else `false_fn()`."""
    return jax.lax.cond(pred, true_fn, false_fn)


@op.define
def switch(index: Array, branches: Sequence[Callable[..., PyTree]], *operands: Any) -> PyTree:
    """Return the result of one of several functions; the index is limited to them."""
    return jax.lax.switch(index, branches, *operands)


@op.define
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., PyTree],
    loop_vars: PyTree,
    maximum_iterations: int | None = None,
) -> PyTree:
    """Return the variables of a loop that runs as long as a condition holds.

    Args:
        cond: Returns whether the loop continues: `cond(*loop_vars)`.
        body: Returns the next variables: `body(*loop_vars)`.
        loop_vars: The first variables: a list or tuple, or a single one.
        maximum_iterations: The largest number of iterations; None for no limit.
    """
    is_single = not isinstance(loop_vars, list | tuple)
    limit = None if maximum_iterations is None else jnp.asarray(maximum_iterations)

    def continues(carry: Any) -> Any:
        count, variables = carry
        return cond(*variables) if limit is None else cond(*variables) & (count < limit)

    def step(carry: Any) -> Any:
        count, variables = carry
        results = body(*variables)
        return count + 1, (results,) if is_single else tuple(results)

    first = (loop_vars,) if is_single else tuple(loop_vars)
    _, variables = jax.lax.while_loop(continues, step, (0, first))
    return variables[0] if is_single else variables


@op.define
def fori_loop(
    lower: Any, upper: Any, body_fun: Callable[[Any, PyTree], PyTree], init_val: PyTree
) -> PyTree:
    """Return the last `value = body_fun(i, value)` for `i` from `lower` to below `upper`."""
    return jax.lax.fori_loop(lower, upper, body_fun, init_val)


@op.define
def scan(
    f: Callable[[PyTree, PyTree], tuple[PyTree, PyTree]],
    init: PyTree,
    xs: PyTree = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[PyTree, PyTree]:
    """Return the last carry and the stacked outputs of `carry, y = f(carry, x)` along axis 0.

    Args:
        f: The function.
        init: The first carry.
        xs: The inputs; None needs a `length`.
        length: The number of steps.
        reverse: Whether to begin at the end.
        unroll: How many steps one iteration of the compiled loop makes.

    Raises:
        ValueError: `unroll` is neither a bool nor a positive integer.
    """
    if not isinstance(unroll, bool):
        integer_at_least("scan", "unroll", unroll, 1)
    return jax.lax.scan(f, init, xs, length, reverse, unroll)


@op.define
def associative_scan(
    f: Callable[[PyTree, PyTree], PyTree], elems: PyTree, reverse: bool = False, axis: int = 0
) -> PyTree:
    """Return the cumulative results of an associative function of two along an axis."""
    return jax.lax.associative_scan(f, elems, reverse, axis)


@op.define
def map(f: Callable[[PyTree], PyTree], xs: PyTree) -> PyTree:
    """Return `f` of each slice along axis 0, computed one after the other."""
    return jax.lax.map(f, xs)


@op.define
def vectorized_map(function: Callable[[PyTree], PyTree], elements: PyTree) -> PyTree:
    """Return a function of each slice along axis 0, computed together."""
    return jax.vmap(function)(elements)


@op.function
def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with a gradient of its own: `f` returns the result and that gradient.

    >>> @custom_gradient
    ... def double(x):
    ...     return 2 * x, lambda upstream: 10 * upstream
    >>> jax.grad(double)(1.0).item()
    10.0
    """
    return jax.custom_gradient(f)


__all__ = op.names
