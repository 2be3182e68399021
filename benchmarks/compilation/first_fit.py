"""`python -m benchmarks.compilation.first_fit`: what the first `fit` of tutorials costs to compile.

Each line is a process of its own, which builds a network and trains it for one step. It reports
processor seconds, which other processes on the machine hardly change, in place of time: those of
building, weights, tracing, compilation and one step, and those of a second `fit`.
"""

import argparse
import collections
import importlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.compilation.tutorial_networks import TUTORIALS
from benchmarks.tables import table

COLUMNS = {
    "processor_s": "first fit, processor s",
    "second_s": "second fit",
    "traces": "functions traced",
    "programs": "programs compiled",
    "before": "HLO instructions traced",
    "after": "after optimization",
}


def measure(library: str, name: str) -> dict[str, Any]:
    """Build and train a network once in this process, and return what it cost."""
    import jax

    # The first program of a process starts the compiler too, which counts for no network.
    jax.jit(lambda values: values + 1)(1.0)
    package = importlib.import_module(library)
    counts: collections.Counter[str] = collections.Counter()
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: counts.update([event.rsplit("/", 1)[-1]])
    )
    started = _processor_seconds()
    model, x, y = TUTORIALS[name](package)
    model.fit(x, y, batch_size=len(y), verbose=0)
    first = _processor_seconds()
    model.fit(x, y, batch_size=len(y), verbose=0)
    return {
        "processor_s": first - started,
        "second_s": _processor_seconds() - first,
        "traces": counts["jaxpr_trace_duration"],
        "programs": counts["backend_compile_duration"],
    }


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def run(library: str, name: str, starts: int) -> dict[str, Any]:
    """Return the cheapest of several processes, with the instructions of its programs."""
    arguments = [sys.executable, "-m", "benchmarks.compilation.first_fit", "--measure", library]
    results = []
    for _ in range(starts):
        with tempfile.TemporaryDirectory() as folder:
            flags = f"--xla_dump_to={folder} --xla_dump_hlo_as_text"
            environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags}
            done = subprocess.run(
                [*arguments, name], env=environment, stdout=subprocess.PIPE, check=True, text=True
            )
            result = json.loads(done.stdout.splitlines()[-1])
            result["before"] = _instructions(folder, "*before_optimizations.txt")
            result["after"] = _instructions(folder, "*after_optimizations.txt")
        results.append(result)
    return min(results, key=lambda result: float(result["processor_s"]))


def _instructions(folder: str, pattern: str) -> int:
    texts = (path.read_text() for path in Path(folder).glob(pattern))
    return sum(len(re.findall("^ +.* = ", text, re.MULTILINE)) for text in texts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table with a line for each network and framework."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(TUTORIALS), help="the networks")
    parser.add_argument("--libraries", nargs="+", default=["fjax", "keras"])
    parser.add_argument("--starts", type=int, default=3, help="processes; the cheapest counts")
    parser.add_argument("--measure", help="the framework to measure in this process")
    options = parser.parse_args(arguments)
    if options.measure:
        print(json.dumps(measure(options.measure, options.names[0])))
        return
    rows = [["", "", *COLUMNS.values()]]
    for name in options.names:
        for library in options.libraries:
            result = run(library, name, options.starts)
            cells = (result[column] for column in COLUMNS)
            shown = (f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells)
            rows.append([name, library, *shown])
            print(rows[-1], file=sys.stderr, flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()
