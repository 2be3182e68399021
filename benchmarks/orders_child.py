"""The process of a contestant that answers orders, each a line on its input.

It says `{"version": …, "orders": […]}` once everything is compiled, then one report for each order.
"""

import argparse
import importlib
import json
import sys

from benchmarks.child import own_output


def main() -> None:
    """Answer until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("entry", help="`module:function` in `benchmarks`")
    parser.add_argument("package", help="the distribution whose version counts")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    output = own_output()

    module, function = arguments.entry.split(":")
    prepare = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    answers = prepare(arguments.quick)
    version = importlib.import_module(arguments.package).__version__
    print(json.dumps({"version": version, "orders": list(answers)}), file=output, flush=True)
    for line in sys.stdin:
        print(json.dumps(answers[line.strip()]()), file=output, flush=True)


if __name__ == "__main__":
    main()
