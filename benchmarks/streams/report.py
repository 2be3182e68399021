"""The tables of the streams, and whether fjax reaches their targets."""

from collections.abc import Mapping
from statistics import median

from benchmarks.contestants import Contestant
from benchmarks.orders import Answers
from benchmarks.streams.networks import NETWORKS, network_job
from benchmarks.streams.sources import LABELS
from benchmarks.tables import Target, table

# A reader and a step side by side may take this many times the longer of the two.
OVERLAP = 1.25


def job_tables(
    contestants: Mapping[str, Contestant], answers: Mapping[str, Answers], quick: bool
) -> str:
    """Return a table for each network and that of the overlap, in Markdown."""
    parts = [_network_table(network, contestants, answers, quick) for network in NETWORKS]
    return "\n\n".join([*parts, _overlap_table(contestants, answers)])


def targets(answers: Mapping[str, Answers]) -> list[Target]:
    """Return the targets, each with whether it is reached."""
    found: list[Target] = []
    for network in NETWORKS:
        for stream, label in LABELS.items():
            order = f"{network}/{stream}"
            if answers["fjax"].values(order) and answers["keras_jax"].values(order):
                times = ratio(answers["keras_jax"], answers["fjax"], order)
                text = f"streams: {network}, {label}: Keras on JAX takes {times:.2f} times as long"
                found.append((f"{text}, more than once", times > 1))
    times = overlap(answers["fjax"])
    text = f"streams: a reader beside a step takes {times:.2f} x the longer of the two"
    found.append((f"{text}, at most {OVERLAP:.2f}", times <= OVERLAP))
    return found


def ratio(own: Answers, other: Answers, order: str) -> float:
    """Return the time of an order divided by that of another contestant, the rounds' median."""
    pairs = zip(own.values(order), other.values(order), strict=True)
    return median(seconds / other_seconds for seconds, other_seconds in pairs)


def overlap(answer: Answers) -> float:
    """Return how many times the longer of reader and step both take together, the median."""
    longer = map(max, answer.values("overlap", "reader"), answer.values("overlap", "step"))
    together = answer.values("overlap", "together")
    return median(both / one for both, one in zip(together, longer, strict=True))


def _network_table(
    network: str, contestants: Mapping[str, Contestant], answers: Mapping[str, Answers], quick: bool
) -> str:
    lines = [["", "µs a step", "times fjax's", "memory an epoch, MiB"]]
    for stream, label in LABELS.items():
        order = f"{network}/{stream}"
        for name, contestant in contestants.items():
            row = [f"{label}, {contestant.label}"]
            if answers[name].values(order):
                growth = median(answers[name].values(order, "growth")) / 2**20
                times = "not installed"
                if answers["fjax"].values(order):
                    times = f"{ratio(answers[name], answers['fjax'], order):.2f}"
                seconds = median(answers[name].values(order))
                lines.append([*row, f"{seconds * 1e6:,.1f}", times, f"{growth:+.1f}"])
            elif _is_expected(name, stream):
                lines.append([*row, "", "", "not installed"])
    job = network_job(network, quick)
    caption = f"**Streams, {job.title}**, {job.steps:,} steps an epoch, batch {job.batch_size}"
    return f"{caption}\n\n{table(lines)}"


def _is_expected(name: str, stream: str) -> bool:
    # PyTorch's loop is on its own loader, and TensorFlow's environment has only TensorFlow.
    return stream == {"torch_loader": "loader", "keras_tensorflow": "generator"}.get(name, stream)


def _overlap_table(contestants: Mapping[str, Contestant], answers: Mapping[str, Answers]) -> str:
    lines = [["", "reader, ms", "step, ms", "together, ms", "times the longer"]]
    for name, contestant in contestants.items():
        if answers[name].values("overlap", "together"):
            columns = ("reader", "step", "together")
            values = (median(answers[name].values("overlap", column)) for column in columns)
            cells = [f"{seconds * 1e3:.2f}" for seconds in values]
            lines.append([contestant.label, *cells, f"{overlap(answers[name]):.2f}"])
    caption = "**A reader that sleeps before each batch, beside the steps of the convolutions**"
    return f"{caption}\n\n{table(lines)}"
