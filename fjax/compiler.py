"""Compile or export functions with `jax.jit`; no other file of fjax calls it.

Options that the installed XLA does not have are left out. Options that work around a faulty release
(`fjax.jax_release`) are added.
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.export
import jax.numpy as jnp

from fjax.jax_release import installed_fault

Option = bool | int | str


def compile_function(
    function: Callable[..., Any],
    *,
    compiler_options: Mapping[str, Option] | None = None,
    **jit_arguments: Any,
) -> Callable[..., Any]:
    """Return `jax.jit(function)`, with only the compiler options that the installed XLA has.

    The first call compiles; before it no device is started.

    Args:
        function: A function of arrays.
        compiler_options: Options of XLA that make a program faster to compile or to run. They must
            not change its results, since a release that lacks an option compiles without it.
        **jit_arguments: Arguments of `jax.jit`, such as `static_argnames` and `donate_argnums`.

    >>> double = compile_function(lambda values: 2 * values)
    >>> double(jnp.arange(3)).tolist()
    [0, 2, 4]
    """
    fault = installed_fault()
    options = {**(compiler_options or {}), **(fault.compiler_options if fault else {})}
    plain = jax.jit(function, **jit_arguments)
    if not options:
        return plain

    @functools.cache
    def with_options() -> Callable[..., Any]:
        available = available_options(tuple(options.items()))
        return jax.jit(function, compiler_options=available, **jit_arguments)

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        # JAX accepts compiler options only for the outermost program, which includes this one if
        # it is being traced.
        compiled = plain if _is_traced((arguments, keywords)) else with_options()
        return compiled(*arguments, **keywords)

    return call


def export_function(function: Callable[..., Any], platforms: Sequence[str], *specs: Any) -> Any:
    """Return the program of a function as a `jax.export.Exported`; nothing is compiled.

    Args:
        function: A function of arrays.
        platforms: The platforms that the program is for, such as "cpu", "cuda", "rocm", "tpu".
        specs: The shapes and dtypes of the arguments; sizes may be symbolic.

    >>> spec = jax.ShapeDtypeStruct(jax.export.symbolic_shape("batch, 3"), "float32")
    >>> export_function(lambda values: 2 * values, ["cpu"], spec).call(jnp.ones((2, 3))).shape
    (2, 3)
    """
    return jax.export.export(jax.jit(function), platforms=tuple(platforms))(*specs)


def compiled_program(function: Callable[..., Any], *specs: Any, **jit_arguments: Any) -> Any:
    """Return a function compiled for some arguments, as `jax.stages.Compiled`; it is not run.

    Args:
        function: A function of arrays.
        specs: Its arguments, or their shapes and dtypes.
        **jit_arguments: Arguments of `jax.jit`.
    """
    fault = installed_fault()
    options = available_options(tuple(fault.compiler_options.items())) if fault else {}
    return jax.jit(function, **jit_arguments).lower(*specs).compile(compiler_options=options)


@functools.cache
def prepare_compiler() -> None:
    """Lower a trivial program: two threads must not be the first to do so at the same time."""
    jax.jit(lambda: 0).lower()


@functools.cache
def available_options(options: tuple[tuple[str, Option], ...]) -> dict[str, Any]:
    """Return the options that the installed XLA accepts when it compiles a trivial program.

    Args:
        options: Pairs of name and value.

    >>> available_options((("xla_backend_optimization_level", 1), ("xla_no_such_option", 1)))
    {'xla_backend_optimization_level': 1}
    """
    remaining: dict[str, Any] = dict(options)
    trivial = jax.jit(lambda: 0).lower()
    while remaining:
        try:
            trivial.compile(compiler_options=remaining)
        except jax.errors.JaxRuntimeError as error:
            unknown = re.search("No such compile option: '(.*)'", str(error))
            if unknown is None:
                raise
            del remaining[unknown[1]]
        else:
            break
    return remaining


def _is_traced(arguments: Any) -> bool:
    # While JAX traces a program a new constant is a tracer too, which detects the trace even if
    # the call has no array arguments.

    leaves = (jnp.zeros(()), *jax.tree.leaves(arguments))
    return any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)
