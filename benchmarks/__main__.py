"""`python -m benchmarks`: measure, print the tables and whether the targets are reached."""

import argparse
import os
from collections.abc import Sequence

from benchmarks import report, training
from benchmarks.calls import job as calls
from benchmarks.compilation import job as compilation
from benchmarks.contestants import TENSORFLOW_PYTHON
from benchmarks.images import job as images
from benchmarks.jobs import JOBS
from benchmarks.results import Run, Settings
from benchmarks.runner import measure_imports
from benchmarks.search import job as search
from benchmarks.search.programs import PROGRAMS
from benchmarks.streams import job as streams
from benchmarks.tables import target_lines

# The trainings, single calls, streams, pictures, first steps, how long deep networks take to
# compile, and many trainings at once.
RUNS: dict[str, Run] = {
    **dict.fromkeys(JOBS, training.run),
    "calls": calls.run,
    "streams": streams.run,
    "images": images.run,
    "first_step": compilation.run_first_steps,
    "compile": compilation.run,
    **dict.fromkeys(PROGRAMS, search.run),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--jobs", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--starts", type=int, help="how often all processes are started anew")
    parser.add_argument("--rounds", type=int, help="turns after the first epoch, in each start")
    parser.add_argument("--quick", action="store_true", help="tiny jobs on drawn data")
    parser.add_argument("--write", action="store_true", help="put the tables into the docs")
    parser.add_argument(
        "--tensorflow-python",
        metavar="PATH",
        help="the Python of an environment with Keras and TensorFlow (`benchmarks/peers.txt`)",
    )
    chosen = parser.parse_args(arguments)
    if chosen.write and (chosen.quick or set(chosen.jobs) != set(RUNS)):
        parser.error("--write needs all jobs, in their full size")
    if chosen.tensorflow_python is not None:
        if not os.access(chosen.tensorflow_python, os.X_OK):
            parser.error(f"--tensorflow-python {chosen.tensorflow_python} is no program")
        os.environ[TENSORFLOW_PYTHON] = chosen.tensorflow_python

    settings = Settings(chosen.starts, chosen.rounds, chosen.quick)
    results = []
    for name in (name for name in RUNS if name in chosen.jobs):
        results.append(RUNS[name](name, settings))
        print(f"\n{results[-1].tables}", flush=True)
    imports = measure_imports(1 if chosen.quick else 15)
    imported = report.import_table(imports)
    print(f"\n{imported}")
    found = [target for result in results for target in result.targets]
    targets = target_lines([*found, *report.targets({}, imports)])
    versions = {name: text for result in results for name, text in result.versions.items()}
    tables = [*(result.tables for result in results), imported]
    parts = [report.machine(versions), *tables, f"Targets:\n\n{targets}"]
    print(f"\n{parts[0]}\n\n{parts[-1]}")
    if chosen.write:
        report.write("\n\n".join(parts))


if __name__ == "__main__":
    main()
