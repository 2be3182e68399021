"""The process of one measurement: it says `{"seconds": …, "weights": …, "version": …}`."""

import argparse
import importlib
import json
import time

from benchmarks.child import own_output


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("entry", help="`module:function` in this package")
    parser.add_argument("package", help="the distribution whose version counts")
    parser.add_argument("size", type=int, help="how many layers or blocks")
    arguments = parser.parse_args()
    output = own_output()

    module, function = arguments.entry.split(":")
    prepare = getattr(importlib.import_module(f"benchmarks.compilation.{module}"), function)
    timed = prepare(arguments.size)
    started = time.perf_counter()
    weights = timed()
    seconds = time.perf_counter() - started
    version = importlib.import_module(arguments.package).__version__
    print(json.dumps({"seconds": seconds, "weights": weights, "version": version}), file=output)


if __name__ == "__main__":
    main()
