"""The table of the pictures, and whether fjax reaches its targets."""

from collections.abc import Mapping
from statistics import median

from benchmarks.contestants import Contestant
from benchmarks.images.pictures import Sizes
from benchmarks.orders import Answers
from benchmarks.streams.report import ratio
from benchmarks.tables import Target, table

LABELS = {"memory": "pictures in memory", "disk": "pictures in a folder"}


def job_table(
    contestants: Mapping[str, Contestant], answers: Mapping[str, Answers], size: Sizes
) -> str:
    """Return the table in Markdown."""
    lines = [["", "ms an epoch", "pictures a second", "times fjax's"]]
    for order, label in LABELS.items():
        for name, contestant in contestants.items():
            row = [f"{label}, {contestant.label}"]
            values = answers[name].values(order)
            if not values:
                lines.append([*row, "", "", "not installed"])
                continue
            seconds = median(values)
            has_fjax = bool(answers["fjax"].values(order))
            times = f"{ratio(answers[name], answers['fjax'], order):.2f}" if has_fjax else ""
            speed = f"{size.pictures / seconds:,.0f}"
            lines.append([*row, f"{seconds * 1e3:,.1f}", speed, times])
    caption = (
        f"**Pictures of {size.side} x {size.side} x 3, flipped and brightened at random, two "
        f"convolutions, {size.classes} classes**, {size.pictures:,} pictures, batch "
        f"{size.batch_size}"
    )
    return f"{caption}\n\n{table(lines)}"


def targets(answers: Mapping[str, Answers]) -> list[Target]:
    """Return the targets, each with whether it is reached."""
    found: list[Target] = []
    for order, label in LABELS.items():
        for name, peer in (("keras_jax", "Keras on JAX"), ("torch_loader", "PyTorch")):
            if answers["fjax"].values(order) and answers[name].values(order):
                times = ratio(answers[name], answers["fjax"], order)
                text = f"images: {label}: {peer} takes {times:.2f} times as long, more than once"
                found.append((text, times > 1))
    return found
