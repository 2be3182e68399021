"""The rails of a drawing: in which column each box is, and which rails lead to it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fjax.models.diagram import Box, Diagram, Path


class Row(NamedTuple):
    """A box of the drawing.

    Attributes:
        box: The box.
        sources: The boxes above it on whose outputs it is called.
        later_sources: The boxes below it on whose outputs it is called, if calls form a cycle.
    """

    box: Box
    sources: tuple[Path, ...]
    later_sources: tuple[Path, ...]


class Step(NamedTuple):
    """A box, and the rails at its place in the drawing.

    Attributes:
        row: The box.
        before: The box from which the rail in each column comes, above the box; None for no rail.
        after: The same below the box.
        source_columns: The columns of the boxes that it is called on.
        ended: Which of these rails end here.
        column: The column of the box.
        continues: Whether a rail leads on from the box.
    """

    row: Row
    before: list[Path | None]
    after: list[Path | None]
    source_columns: list[int]
    ended: set[int]
    column: int
    continues: bool


def sort_boxes(diagram: Diagram) -> list[Row]:
    """Return the boxes in depth-first order, each after the boxes that it is called on."""
    boxes = {box.path: box for box in diagram.boxes}
    sources: dict[Path, list[Path]] = {path: [] for path in boxes}
    for source, target in diagram.arrows:
        sources[target].append(source)
    rows: list[Row] = []
    done: set[Path] = set()
    visited: set[Path] = set()
    ends = [box.path for box in diagram.boxes if box.is_output]
    for end in [*ends, *boxes]:
        stack = [end]
        while stack:
            path = stack[-1]
            if path not in visited:
                visited.add(path)
                stack += [source for source in reversed(sources[path]) if source not in visited]
                continue
            stack.pop()
            if path not in done:
                above = tuple(source for source in sources[path] if source in done)
                # Layers can call each other in turns; then one of them comes first.
                below = tuple(source for source in sources[path] if source not in done)
                done.add(path)
                rows.append(Row(boxes[path], above, below))
    return rows


def lay_rails(rows: Sequence[Row]) -> Iterator[Step]:
    """Yield each box with its column and the rails around it."""
    # How many boxes below are still to be called on the output of each box.
    calls_left: dict[Path, int] = {}
    for row in rows:
        for source in row.sources:
            calls_left[source] = calls_left.get(source, 0) + 1
    rails: list[Path | None] = []
    for row in rows:
        source_columns = [rails.index(source) for source in row.sources]
        for source in row.sources:
            calls_left[source] -= 1
        ended = {column for column in source_columns if not calls_left[rails[column] or ()]}
        free = [column for column, source in enumerate(rails) if source is None]
        column = min(ended) if ended else min(free, default=len(rails))
        if column == len(rails):
            rails.append(None)
        before, continues = list(rails), bool(calls_left.get(row.box.path))
        for ended_column in ended:
            rails[ended_column] = None
        rails[column] = row.box.path if continues else None
        yield Step(row, before, list(rails), source_columns, ended, column, continues)
