"""Epochs of the streams, as a user trains on them.

The orders are `NETWORK/STREAM`, one epoch, and `overlap`.
"""

import functools
import importlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.contestants.fit import compiled
from benchmarks.streams.networks import NETWORKS, draw, network_job
from benchmarks.streams.sources import generate, openers

Answers = Mapping[str, Callable[[], dict[str, float]]]

# Linux's record of a process: its second number is the resident pages.
STATUS = Path("/proc/self/statm")


def of_fjax(quick: bool) -> Answers:
    """Return the epochs of fjax."""
    return _by_fit(importlib.import_module("fjax"), quick)


def of_keras(quick: bool) -> Answers:
    """Return the epochs of Keras; the environment chooses the backend."""
    return _by_fit(importlib.import_module("keras"), quick)


def of_torch(quick: bool) -> Answers:
    """Return the epochs of PyTorch's loop, on its `DataLoader` alone."""
    loop = importlib.import_module("benchmarks.contestants.torch_loop")
    answers = {}
    for network in NETWORKS:
        job = network_job(network, quick)
        x, y = draw(job)
        loader = loop.data_loader(loop.in_torch_layout(job, [x], y), job.batch_size)
        epoch = _epoch(functools.partial(loop.trainer(job), loader), job.steps)
        epoch()
        answers[f"{network}/loader"] = epoch
    return answers


def _by_fit(library: Any, quick: bool) -> Answers:
    answers: dict[str, Callable[[], dict[str, float]]] = {}
    for network in NETWORKS:
        job = network_job(network, quick)
        x, y = draw(job)
        model = compiled(library, job)
        for stream, open_stream in openers(job, x, y).items():
            # Of the streams only the generator has no end.
            steps = job.steps if stream == "generator" else None

            epoch = _epoch(functools.partial(_fit, model, open_stream, steps), job.steps)
            epoch()
            answers[f"{network}/{stream}"] = epoch

    def overlap() -> dict[str, float]:
        # The last network's, whose steps are long enough to sleep for.
        def seconds(pause: float) -> float:
            started = time.perf_counter()
            model.fit(generate(job, x, y, pause), steps_per_epoch=job.steps, verbose=0)
            return (time.perf_counter() - started) / job.steps

        step = seconds(0.0)
        return {"step": step, "reader": step, "together": seconds(step)}

    return {**answers, "overlap": overlap}


def _fit(model: Any, open_stream: Callable[[], Any], steps: int | None) -> None:
    model.fit(open_stream(), steps_per_epoch=steps, verbose=0)


def _epoch(train: Callable[[], object], steps: int) -> Callable[[], dict[str, float]]:
    def epoch() -> dict[str, float]:
        before, started = _resident_bytes(), time.perf_counter()
        train()
        seconds = (time.perf_counter() - started) / steps
        return {"seconds": seconds, "growth": _resident_bytes() - before}

    return epoch


def _resident_bytes() -> float:
    """Return the resident memory of this process; NaN on systems that do not record it so."""
    if not STATUS.exists():
        return float("nan")
    return float(STATUS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
