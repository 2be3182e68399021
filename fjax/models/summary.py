"""The table of a model's layers."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.core.flow import join_sources
from fjax.core.freezing import frozen_paths, trainable_part
from fjax.core.naming import kind
from fjax.core.reserved import only_weights
from fjax.core.shapes import LayerShapes
from fjax.errors import integer_at_least, suggestion
from fjax.models.calls import LayerCalls, NetworkCalls, Value
from fjax.models.table import WIDTH, Column, available_width, fitted, placed, table
from fjax.trees import branch
from fjax.typing import PyTree


class Layout(NamedTuple):
    """How a summary looks; see `fjax.Model.summary`."""

    line_length: int | None = None
    positions: Sequence[float] | None = None
    print_fn: Callable[[str], Any] | None = None
    expand_nested: bool = False
    show_trainable: bool = False
    layer_range: Sequence[str] | None = None


def summary(
    name: str,
    network: Any,
    shapes: LayerShapes,
    calls: NetworkCalls,
    opt_state: PyTree,
    layout: Layout,
) -> None:
    """Print a table of layers with output shapes and parameter counts, as Keras draws it.

    Args:
        name: The model's name.
        network: The network.
        shapes: The shapes of all weights.
        calls: How the layers call one another.
        opt_state: What the optimizer keeps; empty where it has made no step.
        layout: How the table looks.
    """
    weights = (shapes.params, only_weights(shapes.state))
    trained = trainable_part(shapes.params, frozen_paths(network))
    whole, part, kept = _total(weights), _total(trained), _total(opt_state)
    lines = [
        f'Model: "{name}"',
        _table(network, shapes, calls, layout),
        f" Total params: {_Total(whole.values + kept.values, whole.size + kept.size)}",
        f" Trainable params: {part}",
        f" Non-trainable params: {_Total(whole.values - part.values, whole.size - part.size)}",
    ]
    if kept.values:
        lines.append(f" Optimizer params: {kept}")
    (layout.print_fn or print)("\n".join(lines))


def shape_text(values: Sequence[Value]) -> str:
    """Return the shapes of arrays as text.

    >>> shape_text([Value((None, 8), "float32"), Value((None,), "float32")])
    '(None, 8), (None,)'
    """
    return ", ".join(str(value.shape) for value in values) or "?"


def weights_of(shapes: LayerShapes, path: tuple[str, ...] | None) -> PyTree:
    """Return the shapes of a layer's weights, by its path from the model down."""
    if path is None:
        return {}
    own = [_at(tree, path) for tree in (shapes.params, shapes.state)]
    return own[0], only_weights(own[1])


def _at(tree: PyTree, path: tuple[str, ...]) -> PyTree:
    # A layer that is never called has no weights.
    for depth, name in enumerate(path):
        if name not in branch(tree, path[:depth]):
            return {}
    return branch(tree, path)


class _Row(NamedTuple):
    calls: LayerCalls
    depth: int
    params: int
    trainable: str
    several: frozenset[str]


def _rows(
    calls: NetworkCalls,
    shapes: LayerShapes,
    trainable: bool,
    within: tuple[str, ...] = (),
    depth: int = 0,
) -> list[_Row]:
    """Return a row for each layer, and for those within it where these are known."""
    several = frozenset(each.name for each in calls.layers if len(each.outputs) > 1)
    rows = []
    for each in calls.layers:
        path = None if each.path is None else (*within, *each.path)
        count = _total(weights_of(shapes, path)).values
        own = trainable and getattr(each.layer, "trainable", True)
        mark = ("Y" if own else "N") if count else "-"
        rows.append(_Row(each, depth, count, mark, several))
        if each.inner is not None and path is not None:
            rows += _rows(each.inner, shapes, own, path, depth + 1)
    return rows


def _table(network: Any, shapes: LayerShapes, calls: NetworkCalls, layout: Layout) -> str:
    connected = not calls.in_a_row
    calls = calls._replace(layers=_in_range(calls.layers, layout.layer_range))
    rows = _rows(calls, shapes, getattr(network, "trainable", True))
    least = (20, 18, 10) if connected else (31, 22, 13)
    columns = [
        Column("Layer (type)", least[0]),
        Column("Output Shape", least[1]),
        Column("Param #", least[2], ">", wraps=False),
    ]
    cells = [[_title(row), shape_text(row.calls.outputs), f"{row.params:,}"] for row in rows]
    if connected:
        columns.append(Column("Connected to", 18))
        cells = [[*each, _sources(row)] for each, row in zip(cells, rows, strict=True)]
    if layout.show_trainable:
        columns.append(Column("Trainable", 9, "^", wraps=False))
        cells = [[*each, row.trainable] for each, row in zip(cells, rows, strict=True)]
    return table(columns, cells, _widths(columns, cells, layout))


def _widths(columns: list[Column], cells: list[list[str]], layout: Layout) -> list[int]:
    length = layout.line_length
    if length is not None:
        length = integer_at_least("summary", "line_length", length, 1)
    at_most = available_width() if layout.print_fn is None else WIDTH
    if layout.positions is None:
        return fitted(columns, cells, at_most, length)
    return placed(columns, layout.positions, length or min(WIDTH, at_most))


def _title(row: _Row) -> str:
    margin = "   " * row.depth + "└ " if row.depth else ""
    return f"{margin}{row.calls.name} ({kind(row.calls.layer)})"


def _sources(row: _Row) -> str:
    """Return the layers that a layer is called on, one a line; of several outputs with number."""
    met = join_sources(row.calls.sources)
    names = []
    for source in met:
        if source.layer is None:
            # An input that is declared says so by itself.
            names += ["(input)"] if len(met) > 1 else []
        elif source.layer in row.several:
            names.append(f"{source.layer}[{source.number}]")
        else:
            names.append(source.layer)
    return ",\n".join(dict.fromkeys(names)) or "-"


def _in_range(
    layers: tuple[LayerCalls, ...], wanted: Sequence[str] | None
) -> tuple[LayerCalls, ...]:
    """Return the layers from the first that has the first name to the last that has the second.

    Raises:
        ValueError: The range is no pair of names, or no layer has such a name.
    """
    if wanted is None:
        return layers
    if (
        not isinstance(wanted, list | tuple)
        or len(wanted) != 2
        or not all(isinstance(name, str) for name in wanted)
    ):
        raise ValueError(
            "`summary`: `layer_range` must be two names of layers, the first and the last to show, "
            f"received {wanted!r}."
        )
    names = [each.name for each in layers]
    found = []
    for pattern in wanted:
        places = [place for place, name in enumerate(names) if re.match(pattern, name)]
        if not places:
            raise ValueError(
                f"`summary`: no layer has a name like {pattern!r} of `layer_range`."
                f"{suggestion(pattern, names)} Layers: {', '.join(names)}."
            )
        found.append(places)
    first, last = found
    if min(first) > max(last):
        first, last = last, first
    return layers[min(first) : max(last) + 1]


class _Total(NamedTuple):
    values: int
    size: int

    def __str__(self) -> str:
        return f"{self.values:,} ({_size(self.size)})"


def _total(tree: PyTree) -> _Total:
    leaves = jax.tree.leaves(tree)
    counts = [int(np.prod(leaf.shape)) for leaf in leaves]
    sizes = [n * leaf.dtype.itemsize for n, leaf in zip(counts, leaves, strict=True)]
    return _Total(sum(counts), sum(sizes))


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            break
        count /= 1024
    return f"{count:.2f} {unit}"
