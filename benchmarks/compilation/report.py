"""The tables of the compilations, and what fjax is meant to reach there."""

from statistics import median

from benchmarks.compilation.runner import Case, Compilations
from benchmarks.compilation.sizes import UNITS
from benchmarks.tables import Target, table


def tables(found: Compilations) -> str:
    """Return both tables in Markdown."""
    return f"{_first_steps(found)}\n\n{_blocks(found)}"


def targets(found: Compilations) -> list[Target]:
    """Return what is meant to be reached, and whether it is."""
    reached: list[Target] = []
    for form, (ours, theirs) in found.first_steps.items():
        if theirs.seconds:
            own, keras = median(ours.seconds), median(theirs.seconds)
            text = f"compile: {ours.size} layers as {form} take {own:.2f} s to their first step's "
            text += f"end, at most Keras on JAX's {keras:.2f} s"
            reached.append((text, own <= keras))
    repeated = found.blocks["repeat"]
    fewest, most = min(repeated), max(repeated)
    times = ratio(repeated[most], repeated[fewest])
    text = f"compile: `repeat` of {most} blocks takes {times:.2f} x its time for {fewest}"
    reached.append((f"{text}, at most 1.20", times <= 1.2))
    return reached


def ratio(case: Case, other: Case) -> float:
    """Return how many times as long as the other a case takes, the median of the starts."""
    pairs = zip(case.seconds, other.seconds, strict=True)
    return median(own / others for own, others in pairs)


def _first_steps(found: Compilations) -> str:
    rows = [["", "fjax, s", "Keras on JAX, s", "times fjax's"]]
    for form, (ours, theirs) in found.first_steps.items():
        peer = ["not installed", ""]
        if theirs.seconds:
            peer = [_seconds(theirs), f"{ratio(theirs, ours):.2f}"]
        rows.append([form, _seconds(ours), *peer])
    layers = next(iter(found.first_steps.values()))[0].size
    caption = f"**{layers} layers `Dense({UNITS}, relu)`**, from building to the end of one step"
    return f"{caption}\n\n{table(rows)}"


def _blocks(found: Compilations) -> str:
    rows = [["blocks", *(f"`{name}`, s" for name in found.blocks)]]
    for size in found.blocks["repeat"]:
        cases = [sizes.get(size) for sizes in found.blocks.values()]
        rows.append([str(size), *(_seconds(case) if case else "" for case in cases)])
    return f"**Residual blocks**, one training step traced and compiled\n\n{table(rows)}"


def _seconds(case: Case) -> str:
    return f"{median(case.seconds):.2f}"
