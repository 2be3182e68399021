"""The curves of a folder of `fit(resume=…)`, from the history in its newest checkpoint."""

import os
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from fjax.dashboard.run import Run, Series
from fjax.storage.packing import unpack
from fjax.storage.tensors import read_unchecked

CHECKPOINT_NAME = re.compile(r"run-\d{9}\.fjax")


def read_checkpoint_curves(file: BinaryIO, name: str, run: Run) -> None:
    """Add the curves and settings of a checkpoint to a run.

    Only the header and small arrays are read, not the weights, and their digest is not compared.

    Args:
        file: The checkpoint.
        name: Its name, for messages.
        run: The run.

    Raises:
        ValueError: It is half-written, damaged, or no checkpoint.
    """
    try:
        tensors = read_unchecked(name, file, "run")
        document = tensors.read_document()
        states = unpack(document["memory"], tensors.read)["callbacks"]
        history = next(state for kind, state in states if kind == "History")
        curves = _curves(history["history"], history["epoch"])
        settings = _settings(document)
    except StopIteration:
        raise ValueError(f"{name} has no history.") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{name} is damaged or no checkpoint: {error}") from None
    run.problem = ""
    run.series, run.settings = curves, settings


def _curves(history: Mapping[str, Any], epochs: list[int]) -> dict[str, Series]:
    series = {}
    for name, values in history.items():
        # `validation_freq` leaves epochs out at equal distances.
        every = max(len(epochs) // max(len(values), 1), 1)
        x = [float(epoch + 1) for epoch in epochs[every - 1 :: every]][: len(values)]
        rows = np.asarray(values, np.float64)
        if rows.ndim == 1:
            series[name] = Series(x, rows.tolist())
            continue
        for number, column in enumerate(rows.reshape(len(rows), -1).T):
            series[f"{name}/{number}"] = Series(x, column.tolist())
    return series


def _settings(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the table shows: the optimizer, its learning rate, the batch size."""
    identity = document["same"]
    settings: dict[str, Any] = {}
    optimizer = identity["another model"]["compile"]["optimizer"]
    if isinstance(optimizer, dict):
        settings["optimizer"] = str(optimizer["class"]).rpartition(".")[2]
        rate = optimizer["config"].get("learning_rate")
        if isinstance(rate, int | float):
            settings["learning_rate"] = rate
    size = identity["other training data"].get("batch_size")
    if isinstance(size, int):
        settings["batch_size"] = size
    if document["memory"]["dict"]["position"]["dict"].get("stopped"):
        settings["stopped"] = "early"
    return settings


def is_locked(descriptor: int) -> bool | None:
    """Return whether a training holds the lock of a folder; None if the system cannot say.

    The lock itself is only looked at: `/proc/locks` lists it, so that no training that begins at
    this moment finds its folder locked.

    Args:
        descriptor: The folder.
    """
    try:
        lock = os.stat(".lock", dir_fd=descriptor, follow_symlinks=False)
        device = f"{os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}"
        with open("/proc/locks") as locks:
            return any(f" {device}:{lock.st_ino} " in line for line in locks)
    except OSError:
        return None
