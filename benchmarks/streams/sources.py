"""The streams, of one epoch each; every one gives the same rows in batches of the same size."""

import importlib.util
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.jobs import Job

Batches = Iterator[tuple[np.ndarray, np.ndarray]]

# What the tables call the streams.
LABELS = {"generator": "generator", "loader": "PyTorch's `DataLoader`", "grain": "Grain's dataset"}


def openers(job: Job, x: np.ndarray, y: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Return, for each stream whose package is installed, a function that returns it."""
    found: dict[str, Callable[[], Any]] = {"generator": lambda: generate(job, x, y)}
    if importlib.util.find_spec("torch") is not None:
        loader = _loader(job, x, y)
        found["loader"] = lambda: loader
    if importlib.util.find_spec("grain") is not None:
        dataset = _grain_dataset(job, x, y)
        found["grain"] = lambda: dataset
    return found


def generate(job: Job, x: np.ndarray, y: np.ndarray, pause: float = 0.0) -> Batches:
    """Yield batches without end; the reading of one takes `pause` seconds."""
    while True:
        for start in range(0, job.rows, job.batch_size):
            if pause:
                time.sleep(pause)
            yield x[start : start + job.batch_size], y[start : start + job.batch_size]


def _loader(job: Job, x: np.ndarray, y: np.ndarray) -> Any:
    from benchmarks.contestants.torch_loop import data_loader

    return data_loader([x, y], job.batch_size)


def _grain_dataset(job: Job, x: np.ndarray, y: np.ndarray) -> Any:
    import grain

    class Rows:
        """Samples by their number."""

        def __len__(self) -> int:
            return len(x)

        def __getitem__(self, row: int) -> tuple[np.ndarray, np.ndarray]:
            return x[row], y[row]

    return grain.MapDataset.source(Rows()).shuffle(seed=0).batch(job.batch_size).to_iter_dataset()
