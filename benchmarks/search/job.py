"""The jobs of searches and seeds."""

from benchmarks.jobs import find_job
from benchmarks.results import Result, Settings
from benchmarks.search import report
from benchmarks.search.runner import measure


def run(name: str, settings: Settings) -> Result:
    """Measure a job of `benchmarks.search.programs`."""
    records = measure(name, settings.number_of_starts(3), settings.quick)
    rows = find_job("california", settings.quick).rows
    return Result(
        report.job_table(name, records, rows, settings.quick),
        report.targets({name: records}),
        report.versions({name: records}),
    )
