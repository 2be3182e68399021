"""The jobs of deep networks and of first epochs."""

from benchmarks.compilation import first_epochs, first_epochs_report, report, runner
from benchmarks.results import Result, Settings


def run(name: str, settings: Settings) -> Result:
    """Measure how long deep networks take to compile."""
    found = runner.measure(settings.number_of_starts(3), settings.quick)
    return Result(report.tables(found), report.targets(found), found.versions)


def run_first_steps(name: str, settings: Settings) -> Result:
    """Measure first epochs, compilation included."""
    found = first_epochs.measure(settings.number_of_starts(3), settings.quick)
    return Result(
        first_epochs_report.tables(found), first_epochs_report.targets(found), found.versions
    )
