"""The process of one contestant: it trains one job, some epochs whenever the parent says so.

The parent writes a line `turn`, this process answers with a line of JSON, `{"seconds": …,
"loss": …}`, the seconds of one epoch; before all that it says `{"version": …}`, once imports and
data are loaded.
"""

import argparse
import importlib
import json
import os
import sys
import time
from typing import TextIO

import numpy as np

from benchmarks.contestants import CONTESTANTS
from benchmarks.jobs import FIRST_EPOCHS, JOBS, find_job


class Turns:
    """When an epoch may begin; a contestant calls `begin` and `end` around each.

    The first turn is one epoch. It begins before the contestant is called, so its time holds the
    construction of the model and all compilation.
    """

    def __init__(self, orders: TextIO, reports: TextIO, epochs_a_turn: int) -> None:
        self._orders = orders
        self._reports = reports
        self._epochs_a_turn = epochs_a_turn
        self._wanted = 1
        self._made = 0
        self._started: float | None = None

    def begin(self) -> None:
        """Wait for the parent's order, unless a turn has begun already."""
        if self._started is not None:
            return
        if self._orders.readline().strip() != "turn":
            sys.exit("the parent has gone")
        self._started = time.perf_counter()

    def end(self, loss: float) -> None:
        """Take the mean loss of an epoch; after the last one of the turn, report."""
        assert self._started is not None
        self._made += 1
        if self._made < self._wanted:
            return
        seconds = (time.perf_counter() - self._started) / self._made
        self._started, self._made, self._wanted = None, 0, self._epochs_a_turn
        self.say(seconds=seconds, loss=loss)

    def say(self, **report: object) -> None:
        """Write one line."""
        print(json.dumps(report), file=self._reports, flush=True)


def own_output() -> TextIO:
    """Return what stdout was, and turn all that libraries print to stderr."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return output


def main() -> None:
    """Train as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contestant", choices=list(CONTESTANTS))
    parser.add_argument("job", choices=[*JOBS, *FIRST_EPOCHS])
    parser.add_argument("data", help="an .npz file of `x` and `y`")
    parser.add_argument("turns", type=int, help="how many follow the first epoch")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    reports = own_output()

    contestant = CONTESTANTS[arguments.contestant]
    module, function = contestant.entry.split(":")
    train = getattr(importlib.import_module(f"benchmarks.contestants.{module}"), function)
    job = find_job(arguments.job, arguments.quick)
    data = np.load(arguments.data)
    inputs, targets = job.inputs(data["x"]), data["y"]
    turns = Turns(sys.stdin, reports, job.epochs_a_turn)
    turns.say(version=importlib.import_module(contestant.package).__version__)
    turns.begin()
    train(job, inputs, targets, 1 + arguments.turns * job.epochs_a_turn, turns)


if __name__ == "__main__":
    main()
