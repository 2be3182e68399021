"""The table of the calls, and whether fjax reaches their targets."""

from collections.abc import Mapping

from benchmarks.calls.rows import ROWS
from benchmarks.contestants import Contestant
from benchmarks.orders import Answers
from benchmarks.tables import Target, table

CAPTION = "**Single calls of a network of 8-30-30-1**, batch 32, the best of all rounds"


def job_table(contestants: Mapping[str, Contestant], answers: Mapping[str, Answers]) -> str:
    """Return the table in Markdown: µs, and beside each peer how many times those of fjax."""
    peers = [name for name in contestants if name != "fjax"]
    head = ["", "at most, µs", "fjax, µs"]
    for name in peers:
        head += [f"{contestants[name].label}, µs", "times fjax's"]
    lines = [head]
    for order, row in ROWS.items():
        own = min(answers["fjax"].values(order))
        cells = [row.label, _microseconds(row.at_most), _microseconds(own)]
        for name in peers:
            values = answers[name].values(order)
            if values:
                cells += [_microseconds(min(values)), f"{min(values) / own:.2f}"]
            else:
                cells += ["not installed", ""]
        lines.append(cells)
    return f"{CAPTION}\n\n{table(lines)}"


def targets(answers: Mapping[str, Answers]) -> list[Target]:
    """Return the targets, each with whether it is reached."""
    found = []
    for order, row in ROWS.items():
        own = min(answers["fjax"].values(order))
        text = f"calls: {row.label}: {_microseconds(own)} µs"
        found.append((f"{text}, at most {_microseconds(row.at_most)}", own <= row.at_most))
    return found


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f}"
