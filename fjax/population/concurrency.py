"""Run several compiled programs at the same time on the cores of a CPU."""

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax

from fjax.compiler import prepare_compiler
from fjax.training.placement import DEFAULT

Result = TypeVar("Result")


def call_concurrently(functions: Sequence[Callable[[], Result]]) -> list[Result]:
    """Call functions that compile and run programs, and return their results in order.

    On a CPU, JAX runs the programs that one thread has started one after the other. So there is one
    thread for each core, which calls a function and waits for its results. An accelerator runs
    programs one by one; then all are started by this thread, which does not wait.

    Args:
        functions: The functions; none may depend on another.

    >>> call_concurrently([lambda: 1, lambda: 2])
    [1, 2]
    """
    workers = min(len(functions), _cores())
    if workers < 2 or not DEFAULT.is_cpu:
        return [function() for function in functions]
    from concurrent.futures import ThreadPoolExecutor

    prepare_compiler()
    with ThreadPoolExecutor(workers) as threads:
        # Contexts such as `jax.default_matmul_precision` are those of the thread that enters them.
        if threads.submit(_settings).result() != _settings():
            return [function() for function in functions]
        return list(threads.map(_wait_for, functions))


def _cores() -> int:
    # Only Linux knows which cores this process may use.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _wait_for(function: Callable[[], Result]) -> Result:
    return jax.block_until_ready(function())


def _settings() -> dict[str, Any]:
    return dict(jax.config.values)
