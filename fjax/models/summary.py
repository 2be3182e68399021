"""The table of a model's layers."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.core import Graph, InputLayer
from fjax.core.freezing import frozen_paths, trainable_part
from fjax.core.layer import kind
from fjax.core.outline import Outline
from fjax.core.penalties import without_penalties
from fjax.models.calls import LayerCalls, calls_of
from fjax.models.parts import parts
from fjax.trees import branch
from fjax.typing import PyTree


class Row(NamedTuple):
    """What the table says of one layer."""

    name: str
    kind: str
    shape: str
    count: int
    sources: tuple[str, ...]


def summary(
    name: str,
    network: Any,
    shapes: Outline,
    specs: Sequence[tuple[PyTree, ...]],
    line_length: int | None = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print a table of layers with output shapes and parameter counts, as Keras draws it.

    Args:
        name: The model's name.
        network: The network.
        shapes: The shapes of all weights.
        specs: The network's inputs, at two sizes of its batch axis and axes of any size: an axis of
            the outputs that differs is printed None.
        line_length: Width of the table.
        print_fn: Takes the text, by default `print`.
    """
    rows = rows_of(network, shapes, specs)
    connected = isinstance(network, Graph)
    state = without_penalties(shapes.state)
    trained = trainable_part(shapes.params, frozen_paths(network))
    whole, part = _count((shapes.params, state)), _count(trained)
    bytes_ = _bytes((shapes.params, state)), _bytes(trained)
    lines = [f'Model: "{name}"', *_table(rows, line_length, connected)]
    lines += [
        f" Total params: {whole:,} ({_size(bytes_[0])})",
        f" Trainable params: {part:,} ({_size(bytes_[1])})",
        f" Non-trainable params: {whole - part:,} ({_size(bytes_[0] - bytes_[1])})",
    ]
    (print_fn or print)("\n".join(lines))


def rows_of(network: Any, shapes: Outline, specs: Sequence[tuple[PyTree, ...]]) -> list[Row]:
    """Return a row for each layer that a network shows."""
    calls = calls_of(network, shapes, specs)
    rows = []
    for name, layer, path in parts(network):
        if isinstance(layer, InputLayer) and path is not None:
            continue
        called = calls.get(name, LayerCalls("?", ()))
        count = 0
        if path is not None:
            own = [_at(shapes.params, path), without_penalties(_at(shapes.state, path))]
            count = _count(own)
        rows.append(Row(name, kind(layer), called.shape, count, called.sources))
    return rows


def _at(tree: PyTree, path: tuple[str, ...]) -> PyTree:
    # A layer that is never called has no weights.
    return branch(tree, path) if not path or path[0] in tree else {}


def _table(rows: list[Row], line_length: int | None, connected: bool) -> list[str]:
    heads = ["Layer (type)", "Output Shape", "Param #"]
    table = [[f"{row.name} ({row.kind})", row.shape, f"{row.count:,}"] for row in rows]
    least = [31, 22, 13]
    if connected:
        heads.append("Connected to")
        least = [20, 18, 10, 18]
        table = [
            [*cells, ", ".join(row.sources) or "-"] for cells, row in zip(table, rows, strict=True)
        ]
    widths = [
        max(wide, *(len(cells[column]) for cells in [heads, *table]))
        for column, wide in enumerate(least)
    ]
    if line_length is not None:
        widths[0] = max(widths[0], line_length - sum(widths[1:]) - 3 * len(widths) - 1)

    def line(cells: Sequence[str], bar: str) -> str:
        aligned = [
            f" {cell:>{wide}} " if head == "Param #" else f" {cell:<{wide}} "
            for head, cell, wide in zip(heads, cells, widths, strict=True)
        ]
        return bar + bar.join(aligned) + bar

    def rule(left: str, fill: str, middle: str, right: str) -> str:
        return left + middle.join(fill * (wide + 2) for wide in widths) + right

    lines = [rule("┏", "━", "┳", "┓"), line(heads, "┃"), rule("┡", "━", "╇", "┩")]
    for position, cells in enumerate(table):
        if position:
            lines.append(rule("├", "─", "┼", "┤"))
        lines.append(line(cells, "│"))
    return [*lines, rule("└", "─", "┴", "┘")]


def _count(tree: PyTree) -> int:
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(tree))


def _bytes(tree: PyTree) -> int:
    leaves = jax.tree.leaves(tree)
    return sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in leaves)


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            break
        count /= 1024
    return f"{count:.2f} {unit}"
