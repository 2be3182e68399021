"""Runs the contestants: a process for each, all alive at once, one at a time at work.

Round after round each takes its turn of some epochs while the others wait, so a machine that slows
down slows all of them down alike, and a ratio within one round says more than two times apart.
"""

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.data import load
from benchmarks.jobs import find_job

ROOT = Path(__file__).resolve().parents[1]

# Threads that spin while they wait for more work are asleep after this many seconds.
PAUSE = 0.05


@dataclass
class Record:
    """What was measured of one contestant.

    Attributes:
        version: Of its framework.
        first_epochs: The seconds of the first epoch, one number for each start.
        epochs: The seconds of an epoch later on, one number for each round of each start.
        losses: The last epoch's mean loss, one number for each start.
    """

    version: str = ""
    first_epochs: list[float] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


class Process:
    """A contestant's process, used as a context."""

    def __init__(self, name: str, job: str, data: str, turns: int, quick: bool) -> None:
        self._name = name
        arguments = [name, job, data, str(turns), *(["--quick"] if quick else [])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child", *arguments],
            cwd=ROOT,
            env=environment(CONTESTANTS[name], quick),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate()

    def turn(self) -> dict[str, Any]:
        """Ask for a turn, and return its report."""
        time.sleep(PAUSE)
        assert self._process.stdin is not None
        self._process.stdin.write("turn\n")
        self._process.stdin.flush()
        return self.report()

    def report(self) -> dict[str, Any]:
        """Return the next report, waiting for it."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"The process of {self._name!r} ended with exit code {self._process.wait()}; "
                "what it said stands above."
            )
        report: dict[str, Any] = json.loads(line)
        return report


def environment(contestant: Contestant | None = None, quick: bool = False) -> dict[str, str]:
    """Return the environment of a process: on the CPU, and nothing compiled kept from before."""
    shared = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    own = dict(contestant.environment) if contestant else {"KERAS_BACKEND": "jax"}
    values = {**os.environ, **shared, **own}
    values.pop("JAX_COMPILATION_CACHE_DIR", None)
    if quick:
        # PyTorch's threads wait for each other a hundred times longer where tests share the cores.
        values["OMP_NUM_THREADS"] = "1"
    return values


def missing(contestant: Contestant) -> list[str]:
    """Return the modules that the contestant needs and that are not installed."""
    return [name for name in contestant.needs if importlib.util.find_spec(name) is None]


def measure(job: str, starts: int, rounds: int, quick: bool) -> dict[str, Record]:
    """Return what was measured of each contestant that is installed.

    Args:
        job: The job's name.
        starts: How often all processes are started anew; each start gives one first epoch.
        rounds: How many turns each takes after its first epoch, in each start.
        quick: Whether to run the tiny form of the job.
    """
    names = [
        name
        for name, contestant in CONTESTANTS.items()
        if name not in find_job(job, quick).without and not missing(contestant)
    ]
    records = {name: Record() for name in names}
    with TemporaryDirectory() as folder:
        data = f"{folder}/data.npz"
        x, y = load(find_job(job, quick))
        np.savez(data, x=x, y=y)
        for _ in range(starts):
            with ExitStack() as stack:
                processes = {
                    name: stack.enter_context(Process(name, job, data, rounds, quick))
                    for name in names
                }
                _measure_once(processes, records, rounds)
    return records


def measure_imports(repeats: int) -> dict[str, list[float]]:
    """Return the seconds that `import …` takes beyond a bare Python, one number for each round.

    The modules take turns, so that a slow moment of the machine meets all of them. Each was
    imported once before: the bytecode of all is on the disk, where pip puts that of the others.
    """
    modules = ["fjax", "jax", "keras", "torch"]
    modules = [name for name in modules if importlib.util.find_spec(name) is not None]
    taken: dict[str, list[float]] = {name: [] for name in modules}
    for name in modules:
        _seconds_of(f"import {name}")
    for _ in range(repeats):
        bare = _seconds_of("pass")
        for name in modules:
            taken[name].append(_seconds_of(f"import {name}") - bare)
    return taken


def _measure_once(
    processes: Mapping[str, Process], records: Mapping[str, Record], rounds: int
) -> None:
    for name, process in processes.items():
        records[name].version = process.report()["version"]
    for name, process in processes.items():
        records[name].first_epochs.append(process.turn()["seconds"])
    for number in range(rounds):
        for name, process in processes.items():
            report = process.turn()
            records[name].epochs.append(report["seconds"])
            if number == rounds - 1:
                records[name].losses.append(report["loss"])


def _seconds_of(program: str) -> float:
    settings = environment()
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=settings, check=True)
    return time.perf_counter() - started
