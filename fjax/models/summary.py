"""The table of a model's layers."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from fjax.core import as_arguments, output_specs
from fjax.layers import InputLayer
from fjax.models.outline import Outline
from fjax.trees import branch
from fjax.typing import PyTree


def summary(
    name: str,
    layers: Sequence[tuple[str, Any, tuple[str, ...]]],
    shapes: Outline,
    specs: Sequence[tuple[PyTree, ...]],
    line_length: int | None = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print a table of layers with output shapes and parameter counts, as Keras draws it.

    Args:
        name: The model's name.
        layers: Names, layers and paths of their weights, in order.
        shapes: The shapes of all weights.
        specs: The first layer's inputs, at two batch sizes: an axis that differs is printed None.
        line_length: Width of the table.
        print_fn: Takes the text, by default `print`.
    """
    rows = []
    outputs = [_outputs(layers, shapes, inputs) for inputs in specs]
    for position, (layer_name, layer, path) in enumerate(layers):
        if isinstance(layer, InputLayer):
            continue
        count = _count(branch(shapes.params, path)) + _count(branch(shapes.state, path))
        shape = _merged(*(each[position] for each in outputs))
        rows.append((f"{layer_name} ({_kind(layer)})", shape, f"{count:,}"))
    trainable, fixed = _count(shapes.params), _count(shapes.state)
    bytes_ = _bytes(shapes.params), _bytes(shapes.state)
    lines = [f'Model: "{name}"', *_table(rows, line_length)]
    lines += [
        f" Total params: {trainable + fixed:,} ({_size(sum(bytes_))})",
        f" Trainable params: {trainable:,} ({_size(bytes_[0])})",
        f" Non-trainable params: {fixed:,} ({_size(bytes_[1])})",
    ]
    (print_fn or print)("\n".join(lines))


def _outputs(
    layers: Sequence[tuple[str, Any, tuple[str, ...]]], shapes: Outline, inputs: tuple[PyTree, ...]
) -> list[PyTree]:
    specs = []
    for _, layer, path in layers:
        params, state = branch(shapes.params, path), branch(shapes.state, path)
        outputs = output_specs(layer, params, state, *inputs)
        specs.append(outputs)
        inputs = as_arguments(outputs)
    return specs


def _merged(one: PyTree, other: PyTree) -> str:
    def merge(a: Any, b: Any) -> str:
        sizes = [str(x) if x == y else "None" for x, y in zip(a.shape, b.shape, strict=True)]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

    parts = jax.tree.leaves(jax.tree.map(merge, one, other))
    return ", ".join(parts)


def _kind(layer: Any) -> str:
    return getattr(getattr(layer, "function", None), "__name__", type(layer).__name__)


def _table(rows: list[tuple[str, str, str]], line_length: int | None) -> list[str]:
    heads = ("Layer (type)", "Output Shape", "Param #")
    least = (31, 22, 13)
    widths = [
        max(wide, *(len(row[column]) for row in [heads, *rows]))
        for column, wide in enumerate(least)
    ]
    if line_length is not None:
        widths[0] = max(widths[0], line_length - sum(widths[1:]) - 10)

    def line(cells: Sequence[str], bar: str) -> str:
        left = [f" {cell:<{wide}} " for cell, wide in zip(cells[:2], widths[:2], strict=True)]
        return bar + bar.join([*left, f" {cells[2]:>{widths[2]}} "]) + bar

    def rule(left: str, fill: str, middle: str, right: str) -> str:
        return left + middle.join(fill * (wide + 2) for wide in widths) + right

    lines = [rule("┏", "━", "┳", "┓"), line(heads, "┃"), rule("┡", "━", "╇", "┩")]
    for position, row in enumerate(rows):
        if position:
            lines.append(rule("├", "─", "┼", "┤"))
        lines.append(line(row, "│"))
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
