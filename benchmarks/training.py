"""The jobs that train: first epochs, epochs and losses of all contestants."""

from benchmarks import report
from benchmarks.jobs import find_job
from benchmarks.results import Result, Settings
from benchmarks.runner import measure


def run(name: str, settings: Settings) -> Result:
    """Measure a job of `benchmarks.jobs`."""
    starts, rounds = settings.number_of_starts(5), settings.number_of_rounds(10, quick=5)
    records = measure(name, starts, rounds, settings.quick)
    return Result(
        report.job_table(find_job(name, settings.quick), records),
        report.targets({name: records}, {}),
        report.versions({name: records}),
    )
