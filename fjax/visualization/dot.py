"""A model in the language of graphviz."""

import html
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fjax.core import Layer
from fjax.errors import explain_keywords, integer_at_least, one_of
from fjax.models.calls import Value
from fjax.models.summary import shape_text
from fjax.visualization.diagram import Box, Path, diagram_of

DIRECTIONS = ("TB", "LR", "BT", "RL")

# Inputs, layers, and layers whose outputs the model returns.
COLOURS = {"input": "#2e7d5b", "layer": "#37474f", "output": "#a8480f"}
GROUP = "#90a4ae"

# Characters in a line of a box.
WIDEST = 48

TO_INSTALL = "`pip install fjax[viz]`, or `pip install pydot`"


class Style(NamedTuple):
    """What a box shows; see `model_to_dot`."""

    shapes: bool
    dtype: bool
    names: bool
    activations: bool
    trainable: bool


@explain_keywords
def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Return a model as a `pydot.Dot`: a node for each layer, an edge for each call on another.

    A layer that is called several times is one node. Inputs are green, layers whose outputs the
    model returns are orange.

    Args:
        model: A model whose input shape is known.
        show_shapes: Whether to write the shapes of inputs and outputs.
        show_dtype: Whether to write the dtypes of outputs.
        show_layer_names: Whether to write the layers' names before their kinds.
        rankdir: Where the picture goes: "TB" downwards, "LR" to the right, "BT" or "RL".
        expand_nested: Whether to draw the layers within layers, in frames.
        dpi: Dots per inch.
        show_layer_activations: Whether to write the activations of layers that have one.
        show_trainable: Whether to write of layers with weights if they are trained.

    Raises:
        ImportError: pydot is missing.
        TypeError: It is no model.
        ValueError: The model's input shape is not known yet, or an argument is none of those.

    Source: Keras's page "Model plotting utilities".

    >>> from fjax import Sequential
    >>> from fjax.layers import Dense, Input
    >>> dot = model_to_dot(Sequential([Input((4,)), Dense(3), Dense(1)]))
    >>> [(edge.get_source(), edge.get_destination()) for edge in dot.get_edges()]
    [('"dense"', '"dense_1"')]
    """
    one_of("model_to_dot", "rankdir", rankdir, DIRECTIONS)
    dpi = integer_at_least("model_to_dot", "dpi", dpi, 1)
    diagram = diagram_of("model_to_dot", model, expand_nested)
    style = Style(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable)
    try:
        import pydot
    except ImportError as error:
        raise ImportError(f"`model_to_dot` needs pydot: {TO_INSTALL}.") from error

    dot = pydot.Dot(
        _quoted(diagram.name), graph_type="digraph", rankdir=rankdir, dpi=dpi, ranksep=0.35,
        nodesep=0.3, fontname="Helvetica",
    )  # fmt: skip
    dot.set_node_defaults(shape="plain", fontname="Helvetica")
    dot.set_edge_defaults(color="#546e7a", penwidth=1.2, arrowsize=0.8)
    frames: dict[Path, Any] = {(): dot}
    for box in diagram.boxes:
        frame = _frame(pydot, frames, box.path[:-1])
        frame.add_node(pydot.Node(_id(box.path), label=_label(box, style)))
    for path in sorted(frames, key=len, reverse=True):
        if path:
            frames[path[:-1]].add_subgraph(frames[path])
    for begin, end in diagram.arrows:
        dot.add_edge(pydot.Edge(_id(begin), _id(end)))
    return dot


def _frame(pydot: Any, frames: dict[Path, Any], path: Path) -> Any:
    """Return the frame for the layers within a layer, made if it is new, with those around it."""
    if path not in frames:
        _frame(pydot, frames, path[:-1])
        frames[path] = pydot.Cluster(
            str(len(frames)), label=_quoted(path[-1]), labeljust="l", style="rounded",
            color=GROUP, fontcolor=COLOURS["layer"], fontname="Helvetica", margin=12,
        )  # fmt: skip
    return frames[path]


def _id(path: Path) -> str:
    return _quoted("/".join(path))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _label(box: Box, style: Style) -> str:
    role = "input" if box.begins else "output" if box.ends else "layer"
    kind = html.escape(box.kind)
    title = f"<b>{html.escape(box.path[-1])}</b>  {kind}" if style.names else f"<b>{kind}</b>"
    rows = [
        f'<tr><td colspan="2" bgcolor="{COLOURS[role]}"><font color="white">{title}</font></td>'
        "</tr>"
    ]
    for name, text in _details(box, style).items():
        rows.append(
            f'<tr><td align="left"><font point-size="11" color="#546e7a">{name}</font></td>'
            f'<td align="left" balign="left"><font point-size="11">{_lines(text)}</font></td></tr>'
        )
    table = f'border="0" cellborder="1" cellspacing="0" cellpadding="5" color="{COLOURS[role]}"'
    return f'<<table {table} bgcolor="white">{"".join(rows)}</table>>'


def _lines(text: str) -> str:
    # The shapes of many inputs would make the box wider than the rest of the picture.
    return "<br/>".join(html.escape(line) for line in textwrap.wrap(text, WIDEST))


def _details(box: Box, style: Style) -> Mapping[str, str]:
    """Return what a box says below its title."""
    details = {}
    if style.activations and isinstance(box.layer, Layer):
        activation = getattr(box.layer, "activation", None)
        if activation is not None:
            details["activation"] = str(getattr(activation, "__name__", activation))
    if style.shapes:
        if not box.begins:
            details["input"] = shape_text(box.inputs)
        details["output"] = shape_text(box.outputs)
    if style.dtype:
        details["dtype"] = _dtypes(box.outputs)
    if style.trainable and box.trainable is not None:
        details["trainable"] = "yes" if box.trainable else "no"
    return details


def _dtypes(values: Sequence[Value]) -> str:
    return ", ".join(dict.fromkeys(value.dtype for value in values)) or "?"
