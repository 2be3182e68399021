"""First epochs, compilation included: each in a new process, cold and with JAX's cache on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.compilation.programs import SYMBOLIC_CALL
from benchmarks.compilation.runner import Case
from benchmarks.contestants import CONTESTANTS
from benchmarks.data import load
from benchmarks.jobs import FIRST_EPOCHS, find_job
from benchmarks.processes import missing
from benchmarks.runner import trainer

# The positions of the symbolic tensor on which a bidirectional LSTM is called.
POSITIONS = 40


# The jobs of the tiny form; every job starts a process six times.
QUICK = ("first_dense", "first_bidirectional_lstm")


@dataclass
class FirstEpochs:
    """What was measured of one contestant in one job.

    Attributes:
        cold: The seconds without a cache, one number for each start.
        cached: The seconds of a process that finds what another one compiled; none if the
            contestant does not compile by JAX.
        version: Of its framework.
    """

    cold: list[float] = field(default_factory=list)
    cached: list[float] = field(default_factory=list)
    version: str = ""


@dataclass
class Measured:
    """All that was measured.

    Attributes:
        epochs: By the names of job and contestant.
        symbolic: The call of a layer on a symbolic tensor, by contestant.
    """

    epochs: dict[str, dict[str, FirstEpochs]]
    symbolic: dict[str, Case]

    @property
    def versions(self) -> dict[str, str]:
        """The version of each package."""
        return {
            CONTESTANTS[name].package: record.version
            for records in self.epochs.values()
            for name, record in records.items()
            if record.version
        }


def measure(starts: int, quick: bool) -> Measured:
    """Return the measurements of so many starts, in full or quick sizes."""
    found = Measured(
        {
            job: {name: FirstEpochs() for name in CONTESTANTS if name not in entry.without}
            for job, entry in FIRST_EPOCHS.items()
            if job in QUICK or not quick
        },
        {name: Case(program, POSITIONS) for name, program in SYMBOLIC_CALL.items()},
    )
    for job, records in found.epochs.items():
        installed = {n: one for n, one in records.items() if not missing(CONTESTANTS[n])}
        _measure_job(job, installed, starts, quick)
    for _ in range(starts):
        for case in found.symbolic.values():
            if not missing(case.program):
                case.run()
    return found


def cache_settings(folder: str) -> dict[str, str]:
    """Return the environment that makes JAX keep every program in the folder."""
    return {
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def _measure_job(job: str, records: Mapping[str, FirstEpochs], starts: int, quick: bool) -> None:
    with TemporaryDirectory() as folder:
        data = f"{folder}/data.npz"
        x, y = load(find_job(job, quick))
        np.savez(data, x=x, y=y)

        def first_epoch(name: str, extra: Mapping[str, str]) -> float:
            with trainer(name, job, data, 0, quick, extra) as process:
                records[name].version = process.report()["version"]
                return process.ask("turn")["seconds"]

        caches = {
            name: cache_settings(f"{folder}/{name}")
            for name in records
            if "tensorflow" not in CONTESTANTS[name].needs
        }
        for name, cache in caches.items():
            # Fills the cache.
            first_epoch(name, cache)
        for _ in range(starts):
            for name, record in records.items():
                record.cold.append(first_epoch(name, {}))
            for name, cache in caches.items():
                records[name].cached.append(first_epoch(name, cache))
