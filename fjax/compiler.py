"""Compile functions for the installed JAX: the only place of `jax.jit`.

An option that the installed XLA does not have is left out, and the options that a faulty release
needs (`fjax.jax_release`) are added.
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax.jax_release import installed_fault

Option = bool | int | str


def compile_function(
    function: Callable[..., Any],
    *,
    compiler_options: Mapping[str, Option] | None = None,
    **jit_arguments: Any,
) -> Callable[..., Any]:
    """Return `jax.jit(function)`, with only those compiler options that the installed JAX has.

    Nothing is compiled and no device is started before the first call.

    Args:
        function: A function of arrays.
        compiler_options: Options of XLA. They make a program faster to compile or to run and do
            not change what it computes, since a release that lacks one compiles without it.
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
        # JAX accepts options of the outermost program alone; inner ones are compiled with it.
        compiled = plain if _is_traced((arguments, keywords)) else with_options()
        return compiled(*arguments, **keywords)

    return call


@functools.cache
def available_options(options: tuple[tuple[str, Option], ...]) -> dict[str, Any]:
    """Return the options that the installed XLA has, asked by compiling a trivial program.

    Args:
        options: The options as pairs of name and value.

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
    # In a program that is traced a constant is a tracer, too.
    leaves = (jnp.zeros(()), *jax.tree.leaves(arguments))
    return any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)
