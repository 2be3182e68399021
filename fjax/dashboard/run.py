"""What the dashboard knows of a run."""

import dataclasses
from typing import Any

# A curve that is sent to the page has at most this many points.
MAX_POINTS = 1000


@dataclasses.dataclass
class Series:
    """The values of one log: by epoch from 1, or by step."""

    x: list[float]
    y: list[float | None]
    axis: str = "epoch"

    def thinned(self) -> "Series":
        """Return at most `MAX_POINTS` points, the last among them."""
        count = len(self.x)
        if count <= MAX_POINTS:
            return self
        kept = [round(n * (count - 1) / (MAX_POINTS - 1)) for n in range(MAX_POINTS)]
        return Series([self.x[n] for n in kept], [self.y[n] for n in kept], self.axis)


@dataclasses.dataclass
class Run:
    """A run: a file or folder, its curves, its settings, and what is wrong with it.

    Attributes:
        name: Its path within the folder of the dashboard.
        kind: "CSV", "checkpoints", "TensorBoard" or "result".
        stamp: What changes when its files change.
        modified: When its files changed last, in seconds since 1970.
        series: Its curves by the names of their logs; validation logs begin with `val_`.
        settings: Numbers and words about it: the optimizer, the learning rate, a result.
        problem: One sentence about what cannot be read; empty if all is well.
        is_written: Whether a training holds its lock; None if that is unknown.
    """

    name: str
    kind: str
    stamp: tuple[Any, ...]
    modified: float
    series: dict[str, Series] = dataclasses.field(default_factory=dict)
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    problem: str = ""
    is_written: bool | None = None

    def document(self) -> dict[str, Any]:
        """Return the run as plain data for the page."""
        series = {
            name: dataclasses.asdict(each.thinned()) for name, each in sorted(self.series.items())
        }
        return {
            "name": self.name, "kind": self.kind, "modified": self.modified, "series": series,
            "settings": self.settings, "problem": self.problem, "written": self.is_written,
        }  # fmt: skip
