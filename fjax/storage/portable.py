"""Rewrite a traced program for converters, which do not know all of JAX's operations."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import lax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

# The operations that only wrap a program, by the name of the parameter that holds it.
WRAPPERS = {
    "jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "remat2": "jaxpr",
    "checkpoint": "jaxpr", "custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr",
}  # fmt: skip


def portable_program(closed: ClosedJaxpr) -> Callable[..., list[Any]]:
    """Return a function that computes what a traced program does, with fewer operations of JAX.

    Programs within the program are inlined, the choice between platforms is made for a CPU, and
    a loop from the last entry to the first runs over flipped arrays, and padding is concatenated.

    >>> backwards = lambda x: lax.scan(lambda sum, y: (sum + y, sum), 0.0, x, reverse=True)
    >>> program = portable_program(jax.make_jaxpr(backwards)(jax.numpy.ones(3)))
    >>> [array.tolist() for array in program(jax.numpy.arange(3.0))]
    [3.0, [3.0, 2.0, 0.0]]
    """
    return lambda *arrays: _evaluate(closed.jaxpr, closed.consts, arrays)


def _evaluate(jaxpr: Jaxpr, consts: Sequence[Any], arrays: Sequence[Any]) -> list[Any]:
    known = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *arrays], strict=True))

    def value(atom: Any) -> Any:
        return atom.val if isinstance(atom, Literal) else known[atom]

    for equation in jaxpr.eqns:
        results = _apply(equation, [value(atom) for atom in equation.invars])
        known |= dict(zip(equation.outvars, results, strict=True))
    return [value(atom) for atom in jaxpr.outvars]


def _apply(equation: Any, inputs: list[Any]) -> list[Any]:
    name, settings = equation.primitive.name, equation.params
    if name in WRAPPERS:
        return _evaluate_program(settings[WRAPPERS[name]], inputs)
    if name == "platform_index":
        return [_cpu_branch(settings["platforms"])]
    if name == "cond" and isinstance(inputs[0], int):
        return _evaluate_program(settings["branches"][inputs[0]], inputs[1:])
    if name == "pad" and all(min(each) >= 0 == each[2] for each in settings["padding_config"]):
        array, filler = inputs
        return [_pad(array, filler, settings["padding_config"])]
    settings = {key: _rewrite(entry) for key, entry in settings.items()}
    if name == "scan" and settings["reverse"]:
        return _scan_flipped(equation.primitive, settings, inputs)
    results = equation.primitive.bind(*inputs, **settings)
    return list(results) if equation.primitive.multiple_results else [results]


def _evaluate_program(program: Any, inputs: list[Any]) -> list[Any]:
    if isinstance(program, ClosedJaxpr):
        return _evaluate(program.jaxpr, program.consts, inputs)
    return _evaluate(program, (), inputs)


def _cpu_branch(platforms: Sequence[Any]) -> int:
    """Return the number of the branch for a CPU; the branch of None is for all platforms."""
    return next(n for n, names in enumerate(platforms) if names is None or "cpu" in names)


def _rewrite(setting: Any) -> Any:
    """Return a parameter of an operation, with the programs in it rewritten."""
    if isinstance(setting, ClosedJaxpr):
        specs = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in setting.jaxpr.invars]
        return jax.make_jaxpr(portable_program(setting))(*specs)
    if isinstance(setting, tuple):
        return tuple(map(_rewrite, setting)) if type(setting) is tuple else setting
    return setting


def _pad(array: Any, filler: Any, config: Sequence[tuple[int, int, int]]) -> Any:
    """Pad by concatenation: jax2onnx does not pad arrays with a symbolic size."""
    for axis, (before, after, _) in enumerate(config):
        shapes = [(*array.shape[:axis], n, *array.shape[axis + 1 :]) for n in (before, after)]
        first, last = (lax.broadcast(filler, shape) for shape in shapes)
        parts = [first] * bool(before) + [array] + [last] * bool(after)
        array = lax.concatenate(parts, axis) if len(parts) > 1 else array
    return array


def _scan_flipped(primitive: Any, settings: dict[str, Any], inputs: list[Any]) -> list[Any]:
    fixed = settings["num_consts"] + settings["num_carry"]
    flipped = [lax.rev(array, (0,)) for array in inputs[fixed:]]
    results = primitive.bind(*inputs[:fixed], *flipped, **{**settings, "reverse": False})
    carry = settings["num_carry"]
    return [*results[:carry], *(lax.rev(array, (0,)) for array in results[carry:])]
