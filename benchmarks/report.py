"""What the measurements say: the tables, and whether fjax is where it is meant to be."""

import importlib.metadata
import os
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.contestants import CONTESTANTS
from benchmarks.jobs import Job
from benchmarks.processes import ROOT
from benchmarks.runner import Record
from benchmarks.tables import Target, table

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- begin of the tables: `python -m benchmarks --write` -->"
END = "<!-- end of the tables -->"

# A loss this far from the median of all says that somebody trains something else.
LOSS_TOLERANCE = 0.1

# By how much fjax is to be faster than the nearest peer, and than Keras on JAX.
FASTER_THAN_PEERS = {
    "fashion": 1.0, "mnist_cnn": 1.0, "resnet20": 1.0, "text_convolution": 1.0, "attention": 1.5,
}  # fmt: skip
FASTER_THAN_KERAS = {"mnist_cnn": 5.0, "lstm": 2.5}

Records = Mapping[str, Record]
Imports = Mapping[str, list[float]]


def ratio(records: Records, name: str, other: str) -> float:
    """Return how many times as long as the other a contestant takes, the median of the rounds."""
    pairs = zip(records[name].epochs, records[other].epochs, strict=True)
    return median(own / others for own, others in pairs)


def astray(records: Records) -> list[str]:
    """Return the contestants whose final loss is off."""
    final = {name: median(record.losses) for name, record in records.items()}
    middle = median(final.values())
    # Written so that a NaN is astray too.
    return [name for name, loss in final.items() if not abs(loss / middle - 1) <= LOSS_TOLERANCE]


def job_table(job: Job, records: Records) -> str:
    """Return the table of one job in Markdown."""
    head = ["", "first epoch, s", "epoch, s", "µs a step", "times fjax's epoch", "final loss"]
    rows = [head]
    off = astray(records)
    for name, contestant in CONTESTANTS.items():
        if name in job.without:
            continue
        if name not in records:
            rows.append([contestant.label, *[""] * (len(head) - 2), "not installed"])
            continue
        record = records[name]
        epoch = median(record.epochs)
        rows.append(
            [
                contestant.label,
                f"{median(record.first_epochs):.2f}",
                f"{epoch:.4f}",
                f"{epoch / job.steps * 1e6:.1f}",
                f"{ratio(records, name, 'fjax'):.2f}",
                f"{median(record.losses):.4f}" + (" (off!)" if name in off else ""),
            ]
        )
    size = f"{job.rows:,} samples, {job.steps:,} steps an epoch, batch {job.batch_size}"
    size = f"{'drawn data, ' if job.drawn else ''}{size}, {job.optimizer} {job.learning_rate:g}"
    return f"**{job.title}**, {size}\n\n{table(rows)}"


def import_table(imports: Imports) -> str:
    """Return the times of the imports in Markdown."""
    rows = [["", "seconds beyond a bare Python"]]
    rows += [[f"`import {name}`", f"{median(taken):.2f}"] for name, taken in imports.items()]
    return table(rows)


def targets(results: Mapping[str, Records], imports: Imports) -> list[Target]:
    """Return what fjax is meant to reach, in the jobs that ran, and whether it does."""
    found: list[Target] = []
    for job in ("california", "wide_and_deep"):
        if job in results:
            records = results[job]
            found.append(_at_most_bare_loop(job, records, 1.3))
            if "keras_jax" in records:
                faster = ratio(records, "keras_jax", "fjax")
                most = ratio(records, "keras_jax", "jax_loop")
                text = f"{job}: {faster:.1f} times Keras on JAX's step rate, at least 20"
                found.append((f"{text} (the bare `fori_loop` reaches {most:.1f})", faster >= 20))
    if "fashion" in results:
        found.append(_at_most_bare_loop("fashion", results["fashion"], 1.05))
    for job, least in FASTER_THAN_PEERS.items():
        if job in results:
            found.append(_nearest_peer(job, results[job], least))
    for job, times in FASTER_THAN_KERAS.items():
        if "keras_jax" in results.get(job, {}):
            faster = ratio(results[job], "keras_jax", "fjax")
            text = f"{job}: {faster:.2f} times Keras on JAX's step rate, at least {times:g}"
            found.append((text, faster >= times))
    for job, records in results.items():
        if "keras_jax" in records:
            own = median(records["fjax"].first_epochs)
            keras = median(records["keras_jax"].first_epochs)
            text = f"{job}: first epoch {own:.2f} s, at most Keras on JAX's {keras:.2f} s"
            found.append((text, own <= keras))
    if imports:
        pairs = zip(imports["fjax"], imports["jax"], strict=True)
        more = median(own - bare for own, bare in pairs)
        text = f"`import fjax` takes {more:+.2f} s beside `import jax`, at most +0.10 s"
        found.append((text, more <= 0.1))
    return found


def versions(results: Mapping[str, Records]) -> dict[str, str]:
    """Return the version of each contestant's package."""
    return {
        CONTESTANTS[name].package: record.version
        for records in results.values()
        for name, record in records.items()
    }


def machine(versions: Mapping[str, str]) -> str:
    """Return the machine and the versions in one line."""
    every = {**versions, "jaxlib": importlib.metadata.version("jaxlib")}
    listed = ", ".join(f"{package} {version}" for package, version in sorted(every.items()))
    return f"{os.cpu_count()} CPU cores; {listed}."


def write(text: str, page: Path = PAGE) -> None:
    """Put the text between the markers of the page.

    Raises:
        ValueError: The page lacks a marker.
    """
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} must hold the line {BEGIN!r} and after it the line {END!r}.")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def _at_most_bare_loop(job: str, records: Records, most: float) -> Target:
    times = ratio(records, "fjax", "jax_loop")
    return f"{job}: {times:.2f} x the bare `fori_loop`, at most {most:.2f}", times <= most


def _nearest_peer(job: str, records: Records, least: float) -> Target:
    peers = {n: ratio(records, n, "fjax") for n in records if n not in ("fjax", "jax_loop")}
    nearest = min(peers, key=lambda name: peers[name])
    much = "" if least == 1 else f"{least:g} times "
    text = f"{job}: {much}faster than every peer, the nearest, {CONTESTANTS[nearest].label}, takes"
    return f"{text} {peers[nearest]:.2f} times as long", peers[nearest] > least
