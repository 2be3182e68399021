"""`python -m benchmarks.lowering`: time every candidate in a loop on the device, print a table."""

import argparse
import math
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.lowering.candidates import CASES, Case, training_step
from benchmarks.tables import table

# A candidate whose first step takes longer than this, in seconds, is timed only once.
SLOW_STEP = 2.0


def compile_loop(case: Case, name: str) -> Callable[[Any, int], Any]:
    """Return a compiled loop of training steps, each of which depends on the previous one."""
    step = training_step(case.candidates[name])

    def body(_: Any, arguments: Any) -> Any:
        gradients = step(*arguments)
        return [a + 1e-6 * gradient for a, gradient in zip(arguments, gradients, strict=True)]

    return jax.jit(lambda arguments, steps: jax.lax.fori_loop(0, steps, body, arguments))


def measure(case: Case, rounds: int, seconds: float) -> dict[str, float]:
    """Return the milliseconds per step of each candidate, the median over the rounds."""
    random = np.random.default_rng(0)
    arguments = [jnp.asarray(random.normal(size=shape), "float32") for shape in case.shapes]
    programs: dict[str, Callable[[Any, int], Any]] = {}
    steps: dict[str, int] = {}
    step_seconds: dict[str, list[float]] = {}
    for name in case.candidates:
        programs[name] = compile_loop(case, name)
        jax.block_until_ready(programs[name](arguments, 1))
        first = _run_seconds(programs[name], arguments, 1)
        steps[name] = max(1, math.ceil(seconds / first))
        step_seconds[name] = [first] if first > SLOW_STEP else []
    fast = [name for name in programs if not step_seconds[name]]
    for _ in range(rounds):
        for name in fast:
            total = _run_seconds(programs[name], arguments, steps[name])
            step_seconds[name].append(total / steps[name])
    return {name: median(values) * 1e3 for name, values in step_seconds.items()}


def _run_seconds(program: Callable[[Any, int], Any], arguments: Any, steps: int) -> float:
    started = time.perf_counter()
    jax.block_until_ready(program(arguments, steps))
    return time.perf_counter() - started


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the cases; print the row of each as soon as it is known, then the whole table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lowering", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="timings per candidate")
    parser.add_argument(
        "--seconds", type=float, default=0.1, help="approximate length of one timing"
    )
    parser.add_argument("--cases", nargs="+", type=int, help="case numbers, from 0")
    options = parser.parse_args(arguments)
    names = list(dict.fromkeys(name for case in CASES for name in case.candidates))
    rows = [["", "shapes", *(f"{name}, ms" for name in names)]]
    for case in CASES if options.cases is None else [CASES[number] for number in options.cases]:
        times = measure(case, options.rounds, options.seconds)
        shapes = " and ".join(" x ".join(map(str, shape)) for shape in case.shapes)
        cells = [f"{times[name]:.2f}" if name in times else "" for name in names]
        rows.append([case.title, shapes, *cells])
        print(rows[-1], flush=True)
    print(f"\n{jax.default_backend()}, float32, outputs and all gradients:\n\n{table(rows)}")


if __name__ == "__main__":
    main()
