"""The process of one measurement: it prints `{"seconds": …, "score": …, "version": …}`."""

import argparse
import importlib
import json
import time

import numpy as np

from benchmarks.child import own_output
from benchmarks.search.programs import PROGRAMS
from benchmarks.search.sizes import sizes


def main() -> None:
    """Measure one program; imports and data are loaded before."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job", choices=list(PROGRAMS))
    parser.add_argument("program")
    parser.add_argument("data", help="an .npz file of `x` and `y`")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    output = own_output()

    program = PROGRAMS[arguments.job][arguments.program]
    module, function = program.entry.split(":")
    prepare = getattr(importlib.import_module(f"benchmarks.search.{module}"), function)
    data = np.load(arguments.data)
    timed = prepare(data["x"], data["y"].ravel(), sizes(arguments.quick))
    started = time.perf_counter()
    score = timed()
    seconds = time.perf_counter() - started
    version = importlib.import_module(program.package).__version__
    print(json.dumps({"seconds": seconds, "score": score, "version": version}), file=output)


if __name__ == "__main__":
    main()
