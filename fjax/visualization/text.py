"""Draw a model as text: a line for each layer, with rails that connect layers to their inputs."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fjax.models.diagram import Box, Diagram, Path, diagram_of
from fjax.models.rails import Row, lay_rails, sort_boxes
from fjax.models.summary import shape_text
from fjax.models.table import available_width

# The box-drawing character for each combination of lines: up, down, left, right.
_CHARACTERS = {
    (True, True, False, False): "│",
    (False, False, True, True): "─",
    (True, True, False, True): "├",
    (True, True, True, False): "┤",
    (True, True, True, True): "┼",
    (True, False, False, True): "╰",
    (True, False, True, False): "╯",
    (True, False, True, True): "┴",
    (False, True, False, True): "╭",
    (False, True, True, False): "╮",
    (False, True, True, True): "┬",
}  # fmt: skip


def text_drawing(model: Any, show_shapes: bool = False, expand_nested: bool = False) -> str:
    """Return a drawing of a model for the terminal: a line for each layer, inputs first.

    The rails on the left lead from a layer down to the layers that are called on its output. A
    circle is an input, a dot a layer. A layer that is called several times has one line.

    Args:
        model: A model whose input shape is known.
        show_shapes: Whether to show the shapes of outputs.
        expand_nested: Whether to draw the layers within layers, as `outer/inner`.

    Raises:
        TypeError: `model` is not a model.
        ValueError: The model's input shape is unknown.

    >>> from fjax import Model
    >>> from fjax.layers import Dense, Input
    >>> inputs = Input((4,), name="features")
    >>> hidden = Dense(4, name="hidden")(inputs)
    >>> print(text_drawing(Model(inputs, Dense(1, name="price")(inputs + hidden))))
    ○   features (InputLayer)
    ├─╮
    │ ● hidden (Dense)
    ├─╯
    ●   add (Add)
    ●   price (Dense) → output
    """
    return text_of(diagram_of("text_drawing", model, expand_nested), show_shapes)


def text_of(diagram: Diagram, show_shapes: bool) -> str:
    """Return a drawing of a diagram; see `text_drawing`."""
    rows = sort_boxes(diagram)
    if not rows:
        return f"{diagram.name} has no layers"
    lines = list(_lines_with_rails(rows))
    width = available_width()
    rails_width = max(len(line.rails) for line in lines)
    if rails_width > width // 2:
        return "\n".join(_lines_with_names(rows, show_shapes, width))
    titles = {row.box.path: _title(row) for row in rows}
    longest = max(len(title) for title in titles.values())
    drawn = []
    for line in lines:
        start = f"{line.rails:{rails_width}} "
        if line.box is None:
            drawn.append(start.rstrip())
            continue
        title = titles[line.box.path]
        shape = shape_text(line.box.outputs) if show_shapes else ""
        if rails_width + 1 + longest + 2 + len(shape) <= width:
            drawn.append(f"{start}{title:{longest}}  {shape}".rstrip())
        else:
            indent = f"{line.rails_below:{rails_width}}   "
            drawn.append(f"{start}{title}")
            drawn += [indent + part for part in textwrap.wrap(shape, max(width - len(indent), 20))]
    return "\n".join(drawn)


class _Line(NamedTuple):
    """A line of the drawing: its rails, the rails that continue below, and its box, if any."""

    rails: str
    rails_below: str
    box: Box | None = None


def _lines_with_rails(rows: Sequence[Row]) -> Iterator[_Line]:
    """Return the lines of the drawing, with rails that lead from box to box."""
    last_column: int | None = None
    for row, before, after, source_columns, ended, column, _ in lay_rails(rows):
        if any(source_column != column for source_column in source_columns):
            yield _Line(_draw_joint(before, source_columns, ended, column), "")
        elif not source_columns and column == last_column:
            # Without a gap, the box would look as if it were called on the one above.
            yield _Line(_draw_rails(before), "")
        text = _draw_rails([*after[:column], row.box.path, *after[column + 1 :]])
        dot = "○" if row.box.is_input else "●"
        text = text[: 2 * column] + dot + text[2 * column + 1 :]
        yield _Line(text, _draw_rails(after), row.box)
        last_column = column


def _draw_rails(rails: Sequence[Path | None]) -> str:
    return " ".join(" " if source is None else "│" for source in rails)


def _draw_joint(
    rails: Sequence[Path | None], source_columns: Sequence[int], ended: set[int], target: int
) -> str:
    """Return the line above a box that leads from the rails of its sources to its column."""
    first, last = min(*source_columns, target), max(*source_columns, target)
    text = ""
    for column, source in enumerate(rails):
        if column == target or column in source_columns:
            up, down = column in source_columns, column == target or column not in ended
            text += _CHARACTERS[up, down, column > first, column < last]
        elif source is not None:
            text += "│"
        else:
            text += "─" if first <= column <= last else " "
        text += "─" if first <= column < last else " "
    return text.rstrip()


def _title(row: Row) -> str:
    title = f"{'/'.join(row.box.path)} ({row.box.kind})"
    if row.later_sources:
        title += f" ↺ also on {', '.join('/'.join(path) for path in row.later_sources)}"
    return title + (" → output" if row.box.is_output else "")


def _lines_with_names(rows: Sequence[Row], show_shapes: bool, width: int) -> Iterator[str]:
    """Return lines with the names of each box's sources, for diagrams with too many rails."""
    for row in rows:
        line = _title(row)
        if row.sources:
            line += f" ← {', '.join('/'.join(path) for path in row.sources)}"
        if show_shapes:
            line += f"  {shape_text(row.box.outputs)}"
        yield from textwrap.wrap(line, width, subsequent_indent="    ")
