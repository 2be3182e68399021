"""The tables of searches and of seeds, and the targets of fjax."""

from collections.abc import Mapping
from statistics import median

from benchmarks.search.programs import PROGRAMS
from benchmarks.search.runner import Record
from benchmarks.search.sizes import BATCH_SIZE, sizes
from benchmarks.tables import Target, table

Records = Mapping[str, Record]

# The most seconds of each search.
AT_MOST = {"fjax": 3.3, "wrapper": 8.0}

# The largest share of the time of single fits that all seeds side by side may take.
SHARE = 0.6


def ratio(record: Record, other: Record) -> float:
    """Return the time of a program divided by that of another, the median over the starts."""
    pairs = zip(record.seconds, other.seconds, strict=True)
    return median(seconds / other_seconds for seconds, other_seconds in pairs)


def job_table(job: str, records: Records, rows: int, quick: bool) -> str:
    """Return the table of a job in Markdown."""
    score = {"search": "best score, r2", "replicas": "mean final loss"}[job]
    first = next(iter(PROGRAMS[job]))
    lines = [["", "seconds", f"times {PROGRAMS[job][first].label}", score]]
    for record in records.values():
        cells = ["", "", "not installed"]
        if record.seconds:
            times = f"{ratio(record, records[first]):.2f}"
            cells = [f"{median(record.seconds):.2f}", times, f"{record.score:.4f}"]
        lines.append([record.program.label, *cells])
    return f"{_caption(job, rows, quick)}\n\n{table(lines)}"


def targets(results: Mapping[str, Records]) -> list[Target]:
    """Return the targets of the jobs that ran, each with whether it is reached."""
    reached: list[Target] = []
    for name, most in AT_MOST.items():
        record = results.get("search", {}).get(name)
        if record is not None and record.seconds:
            seconds = median(record.seconds)
            text = f"search: {record.program.label} takes {seconds:.2f} s, at most {most:.1f} s"
            reached.append((text, seconds <= most))
    if "replicas" in results:
        share = ratio(results["replicas"]["replicas"], results["replicas"]["fits"])
        text = f"replicas: all seeds side by side take {share:.2f} x the time of single fits"
        reached.append((f"{text}, less than {SHARE:.2f}", share < SHARE))
    return reached


def versions(results: Mapping[str, Records]) -> dict[str, str]:
    """Return the version of each package."""
    return {
        record.program.package: record.version
        for records in results.values()
        for record in records.values()
        if record.seconds
    }


def _caption(job: str, rows: int, quick: bool) -> str:
    size = sizes(quick)
    title = {
        "search": f"**A random search over depth, width and learning rate**, {size.candidates} "
        f"candidates in {size.folds} folds and the best one on all data",
        "replicas": f"**{size.seeds} seeds of one network**, 8-30-1",
    }[job]
    return f"{title}, {size.epochs} epochs of {rows:,} samples, batch {BATCH_SIZE}, SGD"
