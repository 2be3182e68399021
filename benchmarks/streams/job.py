"""The job of streams."""

import dataclasses

from benchmarks.contestants import CONTESTANTS
from benchmarks.orders import ask_in_turns, versions
from benchmarks.results import Result, Settings
from benchmarks.streams import report

ENTRIES = {
    "fjax": "streams.epochs:of_fjax",
    "keras_jax": "streams.epochs:of_keras",
    "keras_tensorflow": "streams.epochs:of_keras",
    "torch_loader": "streams.epochs:of_torch",
}
TRAINERS = {
    name: dataclasses.replace(CONTESTANTS[name], entry=entry) for name, entry in ENTRIES.items()
}


def run(name: str, settings: Settings) -> Result:
    """Measure the streams of `benchmarks.streams.sources`."""
    starts, rounds = settings.starts or 1, settings.number_of_rounds(5, quick=1)
    answers = ask_in_turns(TRAINERS, starts, rounds, settings.quick)
    return Result(
        report.job_tables(TRAINERS, answers, settings.quick),
        report.targets(answers),
        versions(TRAINERS, answers),
    )
