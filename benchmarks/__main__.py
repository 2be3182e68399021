"""`python -m benchmarks`: measure, print the tables and whether the targets are reached."""

import argparse
from collections.abc import Sequence

from benchmarks import report
from benchmarks.compilation import report as compilation_report
from benchmarks.compilation.runner import measure as measure_compilations
from benchmarks.jobs import JOBS, find_job
from benchmarks.runner import Record, measure, measure_imports
from benchmarks.search import report as search_report
from benchmarks.search.programs import PROGRAMS
from benchmarks.search.runner import measure as measure_search
from benchmarks.tables import target_lines

# The trainings, how long deep networks take to compile, and many trainings at once.
EVERYTHING = [*JOBS, "compile", *PROGRAMS]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--jobs", nargs="+", choices=EVERYTHING, default=EVERYTHING)
    parser.add_argument("--starts", type=int, help="how often all processes are started anew")
    parser.add_argument("--rounds", type=int, help="turns after the first epoch, in each start")
    parser.add_argument("--quick", action="store_true", help="tiny jobs on drawn data")
    parser.add_argument("--write", action="store_true", help="put the tables into the docs")
    chosen = parser.parse_args(arguments)
    if chosen.write and (chosen.quick or set(chosen.jobs) != set(EVERYTHING)):
        parser.error("--write needs all jobs, in their full size")
    starts = chosen.starts or (1 if chosen.quick else 5)
    rounds = chosen.rounds or (5 if chosen.quick else 10)

    results: dict[str, dict[str, Record]] = {}
    parts = []
    for name in (name for name in chosen.jobs if name in JOBS):
        results[name] = measure(name, starts, rounds, chosen.quick)
        parts.append(report.job_table(find_job(name, chosen.quick), results[name]))
        print(f"\n{parts[-1]}", flush=True)
    versions = report.versions(results)
    found = []
    if "compile" in chosen.jobs:
        starts = chosen.starts or (1 if chosen.quick else 3)
        compilations = measure_compilations(starts, chosen.quick)
        parts.append(compilation_report.tables(compilations))
        print(f"\n{parts[-1]}", flush=True)
        versions |= compilations.versions
        found = compilation_report.targets(compilations)
    searches = {}
    for name in (name for name in chosen.jobs if name in PROGRAMS):
        starts = chosen.starts or (1 if chosen.quick else 3)
        searches[name] = measure_search(name, starts, chosen.quick)
        rows = find_job("california", chosen.quick).rows
        parts.append(search_report.job_table(name, searches[name], rows, chosen.quick))
        print(f"\n{parts[-1]}", flush=True)
    versions |= search_report.versions(searches)
    found += search_report.targets(searches)
    imports = measure_imports(1 if chosen.quick else 15)
    parts.append(report.import_table(imports))
    print(f"\n{parts[-1]}")
    targets = target_lines([*report.targets(results, imports), *found])
    parts = [report.machine(versions), *parts, f"Targets:\n\n{targets}"]
    print(f"\n{parts[0]}\n\n{parts[-1]}")
    if chosen.write:
        report.write("\n\n".join(parts))


if __name__ == "__main__":
    main()
