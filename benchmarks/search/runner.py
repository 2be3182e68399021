"""Runs the programs in turns, each start in a new process, so that load affects all alike."""

from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.contestants import Contestant
from benchmarks.data import load
from benchmarks.jobs import find_job
from benchmarks.processes import missing, run_once
from benchmarks.search.programs import PROGRAMS


@dataclass
class Record:
    """The measurements of one program.

    Attributes:
        program: The program.
        seconds: The time from the call to the result for each start; empty if the program is not
            installed.
        score: The score that it returned.
        version: The version of its package.
    """

    program: Contestant
    seconds: list[float] = field(default_factory=list)
    score: float = float("nan")
    version: str = ""


def measure(job: str, starts: int, quick: bool) -> dict[str, Record]:
    """Return the measurements of each program of a job, in full or tiny size."""
    records = {name: Record(program) for name, program in PROGRAMS[job].items()}
    with TemporaryDirectory() as folder:
        data = f"{folder}/data.npz"
        x, y = load(find_job("california", quick))
        np.savez(data, x=x, y=y)
        for _ in range(starts):
            for name, record in records.items():
                if not missing(record.program):
                    _run(record, [job, name, data, *(["--quick"] if quick else [])])
    return records


def _run(record: Record, arguments: list[str]) -> None:
    report = run_once(record.program, "benchmarks.search.child", arguments)
    record.seconds.append(report["seconds"])
    record.score, record.version = report["score"], report["version"]
