"""A model as a graph in the DOT language of graphviz."""

import html
import textwrap
from collections.abc import Mapping
from typing import Any

from fjax.core import Layer
from fjax.errors import explain_keywords, import_extra, integer_at_least, one_of
from fjax.models.diagram import Box, Path, diagram_of
from fjax.models.summary import shape_text

DIRECTIONS = ("TB", "LR", "BT", "RL")

# The colors of inputs, of layers whose outputs the model returns, and of all other layers.
COLORS = {"input": "#2e7d5b", "layer": "#37474f", "output": "#a8480f"}
FRAME_COLOR = "#90a4ae"

# The maximum number of characters in a line of a box.
LINE_LENGTH = 48


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
    """Return the graph of a model as a `pydot.Dot`, with a node for each layer.

    An edge leads from each layer to the layers that are called on its outputs. A layer that is
    called several times is one node. Inputs are green; layers whose outputs the model returns are
    orange.

    Args:
        model: A model whose input shape is known.
        show_shapes: Whether to show the shapes of inputs and outputs.
        show_dtype: Whether to show the dtypes of outputs.
        show_layer_names: Whether to show the names of layers before their classes.
        rankdir: The direction of the picture: "TB" is top to bottom, "LR" left to right; "BT" and
            "RL" are the reverse.
        expand_nested: Whether to draw the layers inside layers, in frames.
        dpi: Dots per inch.
        show_layer_activations: Whether to show the activations of layers that have one.
        show_trainable: Whether to show if layers with weights are trainable.

    Raises:
        ImportError: pydot is not installed.
        TypeError: `model` is no model.
        ValueError: The model's input shape is not known yet, or an argument is not allowed.

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
    shown = {
        "activation": show_layer_activations,
        "input": show_shapes,
        "output": show_shapes,
        "dtype": show_dtype,
        "trainable": show_trainable,
    }
    pydot = import_extra("model_to_dot", "pydot", "pydot", "viz")
    dot = pydot.Dot(
        _quote(diagram.name), graph_type="digraph", rankdir=rankdir, dpi=dpi, ranksep=0.35,
        nodesep=0.3, fontname="Helvetica",
    )  # fmt: skip
    dot.set_node_defaults(shape="plain", fontname="Helvetica")
    dot.set_edge_defaults(color="#546e7a", penwidth=1.2, arrowsize=0.8)
    frames: dict[Path, Any] = {(): dot}
    for box in diagram.boxes:
        frame = _frame(pydot, frames, box.path[:-1])
        frame.add_node(pydot.Node(_id(box.path), label=_label(box, show_layer_names, shown)))
    for path in sorted(frames, key=len, reverse=True):
        if path:
            frames[path[:-1]].add_subgraph(frames[path])
    for start, end in diagram.arrows:
        dot.add_edge(pydot.Edge(_id(start), _id(end)))
    return dot


def _frame(pydot: Any, frames: dict[Path, Any], path: Path) -> Any:
    """Return the frame of the layers inside a layer, after adding it to `frames` if it is new."""
    if path not in frames:
        _frame(pydot, frames, path[:-1])
        frames[path] = pydot.Cluster(
            str(len(frames)), label=_quote(path[-1]), labeljust="l", style="rounded",
            color=FRAME_COLOR, fontcolor=COLORS["layer"], fontname="Helvetica", margin=12,
        )  # fmt: skip
    return frames[path]


def _id(path: Path) -> str:
    return _quote("/".join(path))


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _label(box: Box, show_name: bool, shown: Mapping[str, bool]) -> str:
    """Return the label of a box: a table in graphviz's HTML."""
    role = "input" if box.is_input else "output" if box.is_output else "layer"
    kind = html.escape(box.kind)
    title = f"<b>{html.escape(box.path[-1])}</b>  {kind}" if show_name else f"<b>{kind}</b>"
    rows = [
        f'<tr><td colspan="2" bgcolor="{COLORS[role]}"><font color="white">{title}</font></td></tr>'
    ]
    rows += [
        f'<tr><td align="left"><font point-size="11" color="#546e7a">{name}</font></td>'
        f'<td align="left" balign="left"><font point-size="11">{_wrap(text)}</font></td></tr>'
        for name, text in _details(box).items()
        if shown[name]
    ]
    table = f'border="0" cellborder="1" cellspacing="0" cellpadding="5" color="{COLORS[role]}"'
    return f'<<table {table} bgcolor="white">{"".join(rows)}</table>>'


def _wrap(text: str) -> str:
    # The shapes of many inputs would make the box wider than the rest of the picture.
    return "<br/>".join(html.escape(line) for line in textwrap.wrap(text, LINE_LENGTH))


def _details(box: Box) -> dict[str, str]:
    """Return the rows that a box may have below its title: names and texts."""
    details = {}
    activation = getattr(box.layer, "activation", None)
    if isinstance(box.layer, Layer) and activation is not None:
        details["activation"] = str(getattr(activation, "__name__", activation))
    if not box.is_input:
        details["input"] = shape_text(box.inputs)
    details["output"] = shape_text(box.outputs)
    details["dtype"] = ", ".join(dict.fromkeys(array.dtype for array in box.outputs)) or "?"
    if box.trainable is not None:
        details["trainable"] = "yes" if box.trainable else "no"
    return details
