"""The memory of data that does not fit into it is bounded."""

import json
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

import fjax
from fjax.layers import Dense, Input

ROOT = Path(__file__).parents[2]
ROWS, COLUMNS = 256, 4096


class Tracked(np.ndarray):
    """An array that can be weakly referenced."""


def model_of():
    model = fjax.Sequential([Input((COLUMNS,)), Dense(1)], seed=0)
    model.compile("sgd", "mse")
    return model


class Alive:
    """Yield batches of 4 MiB, and count how many of them are alive at a time."""

    def __init__(self, count):
        self.count, self.batches, self.most = count, weakref.WeakSet(), 0

    def __call__(self):
        for _ in range(self.count):
            batch = np.zeros((ROWS, COLUMNS), np.float32).view(Tracked)
            self.batches.add(batch)
            self.most = max(self.most, len(self.batches))
            yield batch, np.zeros((ROWS, 1), np.float32)


@pytest.mark.parametrize("restarts", [False, True])
def test_few_batches_of_a_stream_are_in_memory(monkeypatch, restarts):
    # A set of weak references compares its members, which arrays do entry by entry.
    monkeypatch.setattr(Tracked, "__hash__", object.__hash__, raising=False)
    monkeypatch.setattr(Tracked, "__eq__", object.__eq__, raising=False)
    alive = Alive(60)
    data = type("Loader", (), {"__iter__": lambda self: alive()})() if restarts else alive()
    model_of().fit(data, verbose=0)
    assert 1 < alive.most <= 8


def memory(*arguments):
    command = [sys.executable, "-m", "tests.data.disk_memory", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.thorough
@pytest.mark.parametrize("row_bytes", [64, 4096])
def test_a_file_is_not_resident_while_a_model_trains_on_it(row_bytes):
    found = memory(400, "--row-bytes", row_bytes, "--batch-size", 2**20 // row_bytes)
    assert found["resident MiB"] < 200, found


@pytest.mark.slow
def test_a_file_of_four_gibibytes():
    found = memory(4096)
    assert found["resident MiB"] < 600, found
