"""A model as the value of a notebook's cell: its drawing, and beside it the table of its layers."""

import html
from collections.abc import Sequence
from typing import Any

from fjax.core.freezing import frozen_paths, trainable_part
from fjax.core.naming import kind
from fjax.core.reserved import only_weights
from fjax.markup import CODE, FAINT, draw_table, tag
from fjax.models.diagram import Box, Diagram, Path, diagram_of
from fjax.models.rails import Step, lay_rails, sort_boxes
from fjax.models.summary import count_weights, shape_text, unbuilt_record

# The height of a row and the distance of two rails, in pixels.
ROW, COLUMN = 26, 16

# The radius of a dot.
RADIUS = 4.5

COLOR = "#3b82d6"
RAIL = {"fill": "none", "stroke": "currentColor", "stroke_opacity": 0.45, "stroke_width": 1.6}
CELL = f"padding:0 .9em 0 0;height:{ROW}px;text-align:left;white-space:nowrap;border:0"


def model_html(model: Any) -> str:
    """Return a model as HTML: a row for each layer, with rails that connect it to its inputs.

    No weight is made for it.

    Args:
        model: A model; if its input shape is unknown, only its layers are listed.
    """
    title = f"{tag('b', html.escape(model.name))} ({html.escape(type(model).__name__)})"
    if not model.built:
        records = unbuilt_record(model.layer_tree).layers
        rows = [[record.name, kind(record.layer)] for record in records]
        note = tag("div", "The input shape is not known yet.", style=FAINT)
        return tag("div", title, note, draw_table(["layer", "type"], rows, fixed=(0,)))
    diagram = diagram_of("_repr_html_", model)
    weights = {record.path: record.weights for record in model.layer_calls().walk()}
    box = "max-height:560px;overflow:auto;margin:4px 0"
    drawing = tag("div", _drawing(diagram, weights), style=box)
    return tag("div", title, drawing, tag("div", _totals(model), style=f"font-size:.9em;{FAINT}"))


def _drawing(diagram: Diagram, weights: dict[Path, Any]) -> str:
    steps = list(lay_rails(sort_boxes(diagram)))
    width = COLUMN * max((len(step.before) for step in steps), default=1)
    titles = ("", "layer", "type", "output shape", "params")
    head = [tag("th", text, style=f"{CELL};font-weight:600;{FAINT}") for text in titles]
    rows = []
    for step in steps:
        box = step.row.box
        count = count_weights(weights.get(box.path, ())).values
        note = " frozen" if box.trainable is False else ""
        cells = [
            tag("td", _rails(step, width), style=CELL),
            _cell("/".join(box.path) + (" → output" if box.is_output else ""), CODE),
            _cell(box.kind),
            _cell(shape_text(box.outputs), CODE),
            _cell(f"{count:,}{note}" if count else "", CODE),
        ]
        rows.append(tag("tr", *cells, style="background:none"))
    style = "border-collapse:collapse;font-size:.92em;color:inherit;background:none;margin:0"
    return tag("table", tag("tr", *head), *rows, style=style)


def _cell(text: str, style: str = "") -> str:
    return tag("td", html.escape(text), style=f"{CELL};{style}")


def _rails(step: Step, width: int) -> str:
    """Return the rails of one row, and the dot of its box."""

    def x(column: int) -> int:
        return COLUMN * column + COLUMN // 2

    parts, middle, own = [], ROW // 2, x(step.column)
    # Rails end at the edge of a ring, which is open.
    edge = RADIUS if _is_ring(step.row.box) else 0
    for column, source in enumerate(step.before):
        passes = source is not None and column < len(step.after) and step.after[column] == source
        if passes:
            parts.append(tag("path", d=f"M{x(column)} 0V{ROW}", **RAIL))
    for column in step.source_columns:
        start = x(column)
        curve = f"M{start} 0C{start} {middle} {own} 0 {own} {middle - edge}"
        parts.append(tag("path", d=curve, **RAIL))
    if step.continues:
        parts.append(tag("path", d=f"M{own} {middle + edge}V{ROW}", **RAIL))
    parts.append(_dot(step.row.box, own, middle))
    return tag("svg", *parts, width=width, height=ROW, style="display:block", aria_hidden="true")


def _dot(box: Box, x: int, y: int) -> str:
    """Return the dot of a layer: full if it is trained, grey without weights, else a ring."""
    color = "#8a94a3" if box.trainable is None and not box.is_input else COLOR
    fill = "none" if _is_ring(box) else color
    return tag("circle", cx=x, cy=y, r=RADIUS, fill=fill, stroke=color, stroke_width=2)


def _is_ring(box: Box) -> bool:
    return box.is_input or box.trainable is False


def _totals(model: Any) -> str:
    shapes = model.layer_shapes
    total = count_weights((shapes.params, only_weights(shapes.state)))
    trained = count_weights(trainable_part(shapes.params, frozen_paths(model.layer_tree)))
    parts: Sequence[str] = (
        f"{total} parameters", f"{trained} trainable", f"{total - trained} not trainable",
    )  # fmt: skip
    return html.escape(" · ".join(parts))
