"""The tables of the first epochs, and what fjax is meant to reach there."""

from statistics import median

from benchmarks.compilation.first_epochs import POSITIONS, FirstEpochs, Measured
from benchmarks.compilation.report import ratio
from benchmarks.compilation.sizes import UNITS
from benchmarks.contestants import CONTESTANTS
from benchmarks.tables import Target, table


def tables(found: Measured) -> str:
    """Return both tables in Markdown."""
    head = ["", "cold, s", "times fjax's", "from the cache, s", "times fjax's"]
    lines = [head]
    for job, records in found.epochs.items():
        for name, record in records.items():
            label = f"{_words(job)}: {CONTESTANTS[name].label}"
            lines.append([label, *_cells(record, records["fjax"])])
    caption = "**First epochs with compilation**, four steps and a smaller one, in a new process"
    return f"{caption}\n\n{table(lines)}\n\n{_symbolic(found)}"


def targets(found: Measured) -> list[Target]:
    """Return what is meant to be reached, and whether it is."""
    reached: list[Target] = []
    for job, records in found.epochs.items():
        own, keras = records["fjax"], records["keras_jax"]
        for kind, ours, theirs in (
            ("cold", own.cold, keras.cold),
            ("from the cache", own.cached, keras.cached),
        ):
            if theirs:
                text = f"first_step: {_words(job)}, {kind}, {median(ours):.2f} s, "
                text += "at most Keras on JAX's"
                reached.append((f"{text} {median(theirs):.2f} s", median(ours) <= median(theirs)))
    ours, theirs = (found.symbolic[name].seconds for name in ("fjax", "keras_jax"))
    if theirs:
        text = f"first_step: `Bidirectional(LSTM)` on a symbolic tensor, {median(ours):.2f} s"
        text += f", at most Keras on JAX's {median(theirs):.2f} s"
        reached.append((text, median(ours) <= median(theirs)))
    return reached


def _words(job: str) -> str:
    return job.removeprefix("first_").replace("_", " ")


def _cells(record: FirstEpochs, own: FirstEpochs) -> list[str]:
    if not record.cold:
        return ["not installed", "", "", ""]
    cells = [f"{median(record.cold):.2f}", f"{_times(record.cold, own.cold):.2f}"]
    if not record.cached:
        return [*cells, "", ""]
    return [*cells, f"{median(record.cached):.2f}", f"{_times(record.cached, own.cached):.2f}"]


def _times(seconds: list[float], others: list[float]) -> float:
    return median(one / other for one, other in zip(seconds, others, strict=True))


def _symbolic(found: Measured) -> str:
    lines = [["", "seconds", "times fjax's"]]
    for case in found.symbolic.values():
        cells = ["not installed", ""]
        if case.seconds:
            times = f"{ratio(case, found.symbolic['fjax']):.2f}"
            cells = [f"{median(case.seconds):.3f}", times]
        lines.append([case.program.label, *cells])
    caption = f"**`Bidirectional(LSTM({UNITS}))`**, called on a symbolic tensor of {POSITIONS} "
    return f"{caption}positions\n\n{table(lines)}"
