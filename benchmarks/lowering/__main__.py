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

from benchmarks.lowering.candidates import CASES, Case, training
from benchmarks.tables import table

# A candidate whose first steps are slower than this, in seconds, is not timed any longer.
PATIENCE = 2.0


def looped(case: Case, name: str) -> Callable[[Any, int], Any]:
    """Return a program of many steps, each of which needs what the one before has computed."""
    step = training(case.candidates[name])

    def body(_: Any, arguments: Any) -> Any:
        gradients = step(*arguments)
        return [one + 1e-6 * gradient for one, gradient in zip(arguments, gradients, strict=True)]

    return jax.jit(lambda arguments, steps: jax.lax.fori_loop(0, steps, body, arguments))


def measure(case: Case, rounds: int, seconds: float) -> dict[str, float]:
    """Return the milliseconds of a step of each candidate, the median of the rounds."""
    random = np.random.default_rng(0)
    arguments = [jnp.asarray(random.normal(size=shape), "float32") for shape in case.shapes]
    programs: dict[str, Callable[[Any, int], Any]] = {}
    steps: dict[str, int] = {}
    taken: dict[str, list[float]] = {}
    for name in case.candidates:
        programs[name] = looped(case, name)
        jax.block_until_ready(programs[name](arguments, 1))
        one = _seconds(programs[name], arguments, 1)
        steps[name] = max(1, math.ceil(seconds / one))
        taken[name] = [one] if one > PATIENCE else []
    waited_for = [name for name in programs if not taken[name]]
    for _ in range(rounds):
        for name in waited_for:
            whole = _seconds(programs[name], arguments, steps[name])
            taken[name].append(whole / steps[name])
    return {name: median(values) * 1e3 for name, values in taken.items()}


def _seconds(program: Callable[[Any, int], Any], arguments: Any, steps: int) -> float:
    started = time.perf_counter()
    jax.block_until_ready(program(arguments, steps))
    return time.perf_counter() - started


def main(given: Sequence[str] | None = None) -> None:
    """Measure the cases, and print one row each as soon as it is known, then the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lowering", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each candidate")
    parser.add_argument("--seconds", type=float, default=0.1, help="of one turn, about")
    parser.add_argument("--cases", nargs="+", type=int, help="numbers of cases, from 0")
    chosen = parser.parse_args(given)
    names = list(dict.fromkeys(name for case in CASES for name in case.candidates))
    rows = [["", "shapes", *(f"{name}, ms" for name in names)]]
    for case in CASES if chosen.cases is None else [CASES[number] for number in chosen.cases]:
        found = measure(case, chosen.rounds, chosen.seconds)
        shapes = " and ".join(" x ".join(map(str, shape)) for shape in case.shapes)
        cells = [f"{found[name]:.2f}" if name in found else "" for name in names]
        rows.append([case.title, shapes, *cells])
        print(rows[-1], flush=True)
    print(f"\n{jax.default_backend()}, float32, outputs and all gradients:\n\n{table(rows)}")


if __name__ == "__main__":
    main()
