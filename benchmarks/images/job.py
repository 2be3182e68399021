"""The job of pictures."""

import dataclasses
import tempfile
from pathlib import Path

from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.images import report
from benchmarks.images.epochs import FOLDER
from benchmarks.images.pictures import sizes, write_pictures
from benchmarks.orders import ask_in_turns, versions
from benchmarks.results import Result, Settings

ENTRIES = {
    "fjax": "images.epochs:of_fjax",
    "keras_jax": "images.epochs:of_keras",
    "torch_loader": "images.epochs:of_torch",
}


def trainers(folder: str) -> dict[str, Contestant]:
    """Return who trains on the pictures of a folder."""
    found = {}
    for name, entry in ENTRIES.items():
        other = CONTESTANTS[name]
        environment = {**other.environment, FOLDER: folder}
        needs = (*other.needs, "PIL")
        found[name] = dataclasses.replace(other, entry=entry, needs=needs, environment=environment)
    return found


def run(name: str, settings: Settings) -> Result:
    """Measure epochs of the classifier, from memory and from a folder."""
    starts, rounds = settings.starts or 1, settings.number_of_rounds(5, quick=1)
    size = sizes(settings.quick)
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(Path(folder), size)
        contestants = trainers(folder)
        answers = ask_in_turns(contestants, starts, rounds, settings.quick)
    return Result(
        report.job_table(contestants, answers, size),
        report.targets(answers),
        versions(contestants, answers),
    )
