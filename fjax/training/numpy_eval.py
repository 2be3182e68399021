"""Evaluate a traced program with numpy, for programs that run once and are not worth compiling.

The initial weights of a small network (8-30-30-1 with Adam) take 0.1 s this way, with the same bits
as with XLA. Compiled, they take 2.3 to 3.0 s, or 0.4 to 1.5 s if JAX's persistent compilation cache
has the programs (measured in turns on two busy cores); each first `fit` would be slower by this
time. JAX evaluates primitives that are not in the tables.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.training import threefry
from fjax.training.placement import DEFAULT
from fjax.typing import PyTree

# Elementwise functions that numpy lacks run in blocks of this size, so that each compiles once.
BLOCK = 4096


class HostProgram:
    """A function that is traced once and evaluated with numpy for arguments of these shapes.

    Args:
        function: A function that JAX can trace.
        args: Numbers or numpy arrays.

    Attributes:
        shapes: The shapes and dtypes of the results.
    """

    def __init__(self, function: Callable[..., PyTree], *args: Any) -> None:
        self._closed, self.shapes = jax.make_jaxpr(function, return_shape=True)(*args)

    def __call__(self, *args: Any) -> PyTree:
        """Return the results of the function for these arguments, as JAX's arrays and keys."""
        leaves = _evaluate_jaxpr(self._closed, [np.asarray(leaf) for leaf in jax.tree.leaves(args)])
        specs, structure = jax.tree.flatten(self.shapes)
        return DEFAULT.put(jax.tree.unflatten(structure, map(_as_array, leaves, specs)))


def evaluate_on_host(function: Callable[..., PyTree], *args: Any) -> PyTree:
    """Return the results of a function of arrays, evaluated with numpy.

    >>> draw = lambda seed: jax.random.uniform(jax.random.key(seed), (3,))
    >>> bool((evaluate_on_host(draw, np.uint32(7)) == draw(7)).all())
    True
    """
    return HostProgram(function, *args)(*args)


def can_evaluate() -> bool:
    """Return whether JAX uses the generator and the configuration that `threefry` implements."""
    config: Any = jax.config
    return bool(config.jax_threefry_partitionable) and (
        config.jax_default_prng_impl == "threefry2x32"
    )


def _evaluate_jaxpr(closed: Any, args: list[Any]) -> list[Any]:
    jaxpr = closed.jaxpr
    known = dict(zip(jaxpr.constvars, map(_as_words, closed.consts), strict=True))
    known |= dict(zip(jaxpr.invars, args, strict=True))

    def value(atom: Any) -> Any:
        return np.asarray(atom.val, _dtype(atom)) if _is_literal(atom) else known[atom]

    products: dict[Any, tuple[Any, Any]] = {}
    for equation in jaxpr.eqns:
        inputs = [value(atom) for atom in equation.invars]
        results = _multiply_add(equation, inputs, products) or _apply_primitive(equation, inputs)
        if equation.primitive.name == "mul":
            products[equation.outvars[0]] = (inputs[0], inputs[1])
        known |= dict(zip(equation.outvars, results, strict=True))
    return [value(atom) for atom in jaxpr.outvars]


def _is_literal(atom: Any) -> bool:
    # `jax.extend.core.Literal`, whose import takes as long as a tenth of JAX's own.
    return hasattr(atom, "val")


def _dtype(atom: Any) -> Any:
    return atom.aval.dtype


def _multiply_add(
    equation: Any, inputs: list[Any], products: dict[Any, tuple[Any, Any]]
) -> list[Any] | None:
    """Return a product plus a number, rounded once as in compiled programs; else None."""
    if equation.primitive.name != "add" or equation.outvars[0].aval.dtype != np.float32:
        return None
    for index, atom in enumerate(equation.invars):
        if not _is_literal(atom) and atom in products:
            first, second = products[atom]
            exact = np.multiply(first, second, dtype=np.float64) + inputs[1 - index]
            return [exact.astype(np.float32)]
    return None


def _apply_primitive(equation: Any, inputs: list[Any]) -> list[Any]:
    name, settings = equation.primitive.name, equation.params
    if name in ("jit", "pjit"):
        return _evaluate_jaxpr(settings["jaxpr"], inputs)
    output = equation.outvars[0].aval
    if _is_key(output.dtype) or any(_is_key(atom.aval.dtype) for atom in equation.invars):
        if name in KEY_RULES and settings.get("bit_width", 32) == 32:
            return [KEY_RULES[name](output, settings, *inputs)]
    elif name in RULES:
        result = np.asarray(RULES[name](output, settings, *inputs))
        return [result.astype(output.dtype, copy=False)]
    return _apply_with_jax(equation, inputs)


def _apply_with_jax(equation: Any, inputs: list[Any]) -> list[Any]:
    specs = [atom.aval for atom in equation.invars]
    arrays = [_as_array(value, spec) for value, spec in zip(inputs, specs, strict=True)]
    results = equation.primitive.bind(*arrays, **equation.params)
    several = results if equation.primitive.multiple_results else [results]
    return [_as_words(result) for result in several]


def _is_key(dtype: Any) -> bool:
    return bool(jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key))


def _as_words(value: Any) -> np.ndarray:
    return np.asarray(jax.random.key_data(value) if _is_key(value.dtype) else value)


def _as_array(value: np.ndarray, spec: Any) -> Any:
    if _is_key(spec.dtype):
        return jax.random.wrap_key_data(jnp.asarray(value), impl="threefry2x32")
    return value


def _broadcast(output: Any, settings: dict[str, Any], values: np.ndarray) -> np.ndarray:
    shape = [1] * output.ndim
    for axis, size in zip(settings["broadcast_dimensions"], values.shape, strict=True):
        shape[axis] = size
    # A copy, since the result may be written to.
    return np.array(np.broadcast_to(values.reshape(shape), output.shape))


def _iota(output: Any, settings: dict[str, Any]) -> np.ndarray:
    axis = settings["dimension"]
    shape = [size if index == axis else 1 for index, size in enumerate(output.shape)]
    return np.array(np.broadcast_to(np.arange(output.shape[axis]).reshape(shape), output.shape))


def _slice(settings: dict[str, Any], values: np.ndarray) -> np.ndarray:
    starts, limits = settings["start_indices"], settings["limit_indices"]
    strides = settings["strides"] or (1,) * len(starts)
    return values[tuple(map(slice, starts, limits, strides))]


def _reshape(output: Any, settings: dict[str, Any], values: np.ndarray) -> np.ndarray:
    return values.reshape(output.shape)


def _reshape_keys(output: Any, settings: dict[str, Any], keys: np.ndarray) -> np.ndarray:
    return keys.reshape(*output.shape, 2)


def _in_blocks(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    def apply(output: Any, settings: dict[str, Any], values: np.ndarray) -> np.ndarray:
        count = math.ceil(values.size / BLOCK)
        padded = np.zeros((count, BLOCK), values.dtype)
        padded.reshape(-1)[: values.size] = values.reshape(-1)
        blocks = [np.asarray(function(row)) for row in padded]
        return np.concatenate(blocks)[: values.size].reshape(values.shape)

    return apply


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda output, settings, *values: function(*values)


RULES: dict[str, Callable[..., Any]] = {
    "add": _elementwise(np.add),
    "sub": _elementwise(np.subtract),
    "mul": _elementwise(np.multiply),
    "div": _elementwise(np.divide),
    "max": _elementwise(np.maximum),
    "min": _elementwise(np.minimum),
    "neg": _elementwise(np.negative),
    "or": _elementwise(np.bitwise_or),
    "eq": _elementwise(np.equal),
    "lt": _elementwise(np.less),
    "nextafter": _elementwise(np.nextafter),
    "shift_right_logical": _elementwise(np.right_shift),
    "stop_gradient": _elementwise(lambda values: values),
    "copy": _elementwise(lambda values: values),
    "erf_inv": _in_blocks(lax.erf_inv),
    "select_n": _elementwise(lambda which, *cases: np.choose(which, cases)),
    "iota": _iota,
    "broadcast_in_dim": _broadcast,
    "reshape": _reshape,
    "squeeze": _reshape,
    "slice": lambda output, settings, values: _slice(settings, values),
    "transpose": lambda output, settings, values: values.transpose(settings["permutation"]),
    "bitcast_convert_type": lambda output, settings, values: values.view(output.dtype),
    "convert_element_type": lambda output, settings, values: values.astype(output.dtype),
    "concatenate": lambda output, settings, *parts: np.concatenate(parts, settings["dimension"]),
}

KEY_RULES: dict[str, Callable[..., Any]] = {
    "random_seed": lambda output, settings, value: threefry.seed(value),
    "random_wrap": lambda output, settings, words: words,
    "random_unwrap": lambda output, settings, keys: keys,
    "random_bits": lambda output, settings, key: threefry.bits(key, settings["shape"]),
    "random_split": lambda output, settings, key: threefry.split(key, settings["shape"]),
    "random_fold_in": lambda output, settings, key, data: threefry.fold_in(key, data),
    "slice": lambda output, settings, keys: _slice(settings, keys),
    "squeeze": _reshape_keys,
    "reshape": _reshape_keys,
}
