"""Runs the contestants: a process for each, all alive at once, one at a time at work.

Round after round each takes its turn of some epochs while the others wait, so a machine that slows
down slows all of them down alike, and a ratio within one round says more than two times apart.
"""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from types import MappingProxyType

import numpy as np

from benchmarks.contestants import CONTESTANTS
from benchmarks.data import load
from benchmarks.jobs import find_job
from benchmarks.processes import ROOT, Process, environment, missing


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
                    name: stack.enter_context(trainer(name, job, data, rounds, quick))
                    for name in names
                }
                _measure_once(processes, records, rounds)
    return records


def trainer(
    name: str,
    job: str,
    data: str,
    turns: int,
    quick: bool,
    extra: Mapping[str, str] = MappingProxyType({}),
) -> Process:
    """Return the process of a contestant that trains a job.

    Args:
        name: The contestant's name.
        job: The job's name.
        data: The file of the data.
        turns: How many turns follow the first epoch.
        quick: Whether to run the tiny form of the job.
        extra: More of the process's environment.
    """
    contestant = CONTESTANTS[name]
    arguments = [name, job, data, str(turns), *(["--quick"] if quick else [])]
    settings = {**environment(contestant, quick), **extra}
    return Process(contestant, "benchmarks.child", arguments, settings)


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
        records[name].first_epochs.append(process.ask("turn")["seconds"])
    for number in range(rounds):
        for name, process in processes.items():
            report = process.ask("turn")
            records[name].epochs.append(report["seconds"])
            if number == rounds - 1:
                records[name].losses.append(report["loss"])


def _seconds_of(program: str) -> float:
    settings = environment()
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=settings, check=True)
    return time.perf_counter() - started
