"""`Model.summary`: a table of the layers."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.core.combinators import Serial
from fjax.core.flow import Origin, merge_origins
from fjax.core.freezing import frozen_paths, trainable_part
from fjax.core.inputs import InputLayer
from fjax.core.layer_walk import ArraySpec, LayerRecord, NetworkRecord, Path, list_layers
from fjax.core.naming import kind
from fjax.core.reserved import only_weights
from fjax.core.shapes import LayerShapes
from fjax.errors import integer_at_least, suggestion
from fjax.models.summary_colors import color_summary, has_colors
from fjax.models.table import WIDTH, Column, available_width, fit_widths, render, widths_at
from fjax.typing import PyTree


class Layout(NamedTuple):
    """The layout of a summary; see `fjax.Model.summary`."""

    line_length: int | None = None
    positions: Sequence[float] | None = None
    print_fn: Callable[[str], Any] | None = None
    show_trainable: bool = False
    layer_range: Sequence[str] | None = None


def print_summary(
    name: str,
    network: Any,
    shapes: LayerShapes,
    layers: NetworkRecord,
    opt_state: PyTree,
    layout: Layout,
) -> None:
    """Print a table of layers with output shapes and parameter counts, as Keras does.

    Args:
        name: The name of the model.
        network: The network.
        shapes: The shapes of all weights.
        layers: The layers and their connections.
        opt_state: The optimizer's state; empty before its first step.
        layout: The layout of the table.
    """
    weights = (shapes.params, only_weights(shapes.state))
    trained = trainable_part(shapes.params, frozen_paths(network))
    total, trainable, optimizer = (
        count_weights(weights),
        count_weights(trained),
        count_weights(opt_state),
    )
    lines = [
        f'Model: "{name}"',
        _layer_table(_as_called(network, layers), layout),
        f" Total params: {total + optimizer}",
        f" Trainable params: {trainable}",
        f" Non-trainable params: {total - trainable}",
    ]
    if optimizer.values:
        lines.append(f" Optimizer params: {optimizer}")
    text = "\n".join(lines)
    if layout.print_fn is not None:
        layout.print_fn(text)
    else:
        print(color_summary(text) if has_colors() else text)


def _as_called(network: Any, layers: NetworkRecord) -> NetworkRecord:
    """Return the layers of a `Sequential` with a repeated layer, once for each call."""
    if not isinstance(network, Serial) or network.order is None:
        return layers
    by_name = {record.name: record for record in layers.layers}
    records: list[LayerRecord] = []
    for name, _ in network.calls():
        if name in by_name:
            before = Origin(records[-1].name if records else None, 0)
            records.append(by_name[name]._replace(origins=((before,),)))
    return layers._replace(layers=tuple(records))


def shape_text(arrays: Sequence[ArraySpec]) -> str:
    """Return the shapes of arrays as text.

    >>> shape_text([ArraySpec((None, 8), "float32"), ArraySpec((None,), "float32")])
    '(None, 8), (None,)'
    """
    return ", ".join(str(array.shape) for array in arrays) or "?"


def _layer_table(network: NetworkRecord, layout: Layout) -> str:
    shows_connections = not network.is_sequence
    network = network._replace(layers=_layers_in_range(network.layers, layout.layer_range))
    records, is_built = list(network.walk()), bool(network.inputs)
    counts = [count_weights(record.weights).values for record in records]
    minimum = (20, 18, 10) if shows_connections else (31, 22, 13)
    columns = [
        Column("Layer (type)", minimum[0]),
        Column("Output Shape", minimum[1]),
        Column("Param #", minimum[2], ">", wraps=False),
    ]
    rows = [
        [_title(record), shape_text(record.outputs), f"{count:,}" if is_built else "0 (unbuilt)"]
        for record, count in zip(records, counts, strict=True)
    ]
    if shows_connections:
        columns.append(Column("Connected to", 18))
        several = {record.path for record in records if len(record.outputs) > 1}
        for row, record in zip(rows, records, strict=True):
            row.append(_connected_to(record, several))
    if layout.show_trainable:
        columns.append(Column("Trainable", 9, "^", wraps=False))
        for row, record, count in zip(rows, records, counts, strict=True):
            row.append("-" if not count else "Y" if record.trainable else "N")
    return render(columns, rows, _widths(columns, rows, layout))


def _widths(columns: list[Column], rows: list[list[str]], layout: Layout) -> list[int]:
    length = layout.line_length
    if length is not None:
        length = integer_at_least("summary", "line_length", length, 1)
    maximum = available_width() if layout.print_fn is None else WIDTH
    if layout.positions is None:
        return fit_widths(columns, rows, maximum, length)
    return widths_at(columns, layout.positions, length or min(WIDTH, maximum))


def unbuilt_record(network: Any) -> NetworkRecord:
    """Return the layers of a network whose inputs are not known yet, without shapes."""
    layers = [each for each in list_layers(network) if not isinstance(each.layer, InputLayer)]
    return NetworkRecord(tuple(layers), (), ())


def _title(record: LayerRecord) -> str:
    depth = len(record.path) - 1
    margin = "   " * depth + "└ " if depth else ""
    return f"{margin}{record.name} ({kind(record.layer)})"


def _connected_to(record: LayerRecord, several: set[Path]) -> str:
    """Return the layers whose outputs a layer is called on, one per line.

    For the layers in `several`, which have several outputs, the position of the output is shown.
    """
    origins = merge_origins(record.origins)
    names = []
    for origin in origins:
        if origin.layer is None:
            # A declared input has no layer before it.
            names += ["(input)"] if len(origins) > 1 else []
        elif (*record.path[:-1], origin.layer) in several:
            names.append(f"{origin.layer}[{origin.position}]")
        else:
            names.append(origin.layer)
    return ",\n".join(dict.fromkeys(names)) or "-"


def _layers_in_range(
    layers: tuple[LayerRecord, ...], patterns: Sequence[str] | None
) -> tuple[LayerRecord, ...]:
    """Return the layers from the first match of the first pattern to the last of the second.

    Raises:
        ValueError: The range is not a pair of names, or no layer matches a pattern.
    """
    if patterns is None:
        return layers
    if (
        not isinstance(patterns, list | tuple)
        or len(patterns) != 2
        or not all(isinstance(pattern, str) for pattern in patterns)
    ):
        raise ValueError(
            "`summary`: `layer_range` must be two names of layers, the first and the last to show, "
            f"received {patterns!r}."
        )
    names = [record.name for record in layers]
    matches = []
    for pattern in patterns:
        matches.append([index for index, name in enumerate(names) if re.match(pattern, name)])
        if not matches[-1]:
            raise ValueError(
                f"`summary`: no layer has a name like {pattern!r} of `layer_range`."
                f"{suggestion(pattern, names)} Layers: {', '.join(names)}."
            )
    first, last = matches
    if min(first) > max(last):
        first, last = last, first
    return layers[min(first) : max(last) + 1]


@dataclasses.dataclass(frozen=True)
class Total:
    """A number of values, and their size in bytes."""

    values: int
    size: int

    def __add__(self, other: "Total") -> "Total":
        return Total(self.values + other.values, self.size + other.size)

    def __sub__(self, other: "Total") -> "Total":
        return Total(self.values - other.values, self.size - other.size)

    def __str__(self) -> str:
        return f"{self.values:,} ({_size_text(self.size)})"


def count_weights(tree: PyTree) -> Total:
    """Return the number of values of a tree of arrays or their shapes, and their size."""
    leaves = jax.tree.leaves(tree)
    counts = [int(np.prod(leaf.shape)) for leaf in leaves]
    sizes = [n * leaf.dtype.itemsize for n, leaf in zip(counts, leaves, strict=True)]
    return Total(sum(counts), sum(sizes))


def _size_text(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{size:.2f} {unit}"
