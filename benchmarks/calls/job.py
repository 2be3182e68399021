"""The job of single calls."""

import dataclasses

from benchmarks.calls import report
from benchmarks.contestants import CONTESTANTS
from benchmarks.orders import ask_in_turns, versions
from benchmarks.results import Result, Settings

ENTRIES = {
    "fjax": "calls.actions:of_fjax",
    "keras_jax": "calls.actions:of_keras",
    "keras_tensorflow": "calls.actions:of_keras",
}
CALLERS = {
    name: dataclasses.replace(CONTESTANTS[name], entry=entry) for name, entry in ENTRIES.items()
}


def run(name: str, settings: Settings) -> Result:
    """Measure the calls of `benchmarks.calls.rows`: the best of five rounds."""
    starts, rounds = settings.starts or 1, settings.number_of_rounds(5, quick=1)
    answers = ask_in_turns(CALLERS, starts, rounds, settings.quick)
    return Result(
        report.job_table(CALLERS, answers), report.targets(answers), versions(CALLERS, answers)
    )
