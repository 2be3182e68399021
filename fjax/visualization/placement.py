"""The weights of a model, and which device has which part of them."""

import math
from typing import Any

from jax.sharding import NamedSharding, PartitionSpec

from fjax.errors import explain_keywords, integer_at_least
from fjax.training.placement_table import weight_specs
from fjax.training.shardings import Weight, axis_size
from fjax.visualization.figures import check_file, pyplot, save_figure

# With more parts, the numbers of the devices in the cells cannot be read.
MAX_PARTS_WITH_NUMBERS = 32

REPLICATED_COLOR, EDGE = "#e2e8f0", "white"


@explain_keywords
def plot_placement(
    model: Any, placement: Any = None, to_file: Any = None, max_weights: int = 40
) -> Any:
    """Draw the weights of a model: a line for each, with its parts and the devices that have them.

    Args:
        model: A built model.
        placement: The placement; by default the one that the model was compiled with.
        to_file: Also save the figure in this file: .png, .svg or .pdf.
        max_weights: How many weights are drawn, those of the most bytes.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: The placement is one device, or does not fit the weights.

    >>> from fjax import Sequential
    >>> from fjax.distribution import data_parallel
    >>> from fjax.layers import Dense, Input
    >>> figure = plot_placement(Sequential([Input((8,)), Dense(3)]), data_parallel())
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['dense/bias  (3,)', 'dense/kernel  (8, 3)']
    """
    owner = "plot_placement"
    file = check_file(owner, to_file)
    count = integer_at_least(owner, "max_weights", max_weights, 1)
    placement = model.model_parts.placement if placement is None else placement
    specs, mesh = weight_specs(owner, placement, model), placement.mesh
    pairs = list(zip(specs.weights, specs.specs, strict=True))
    sizes = sorted((weight.size for weight, _ in pairs), reverse=True)
    shown = [pair for pair in pairs if pair[0].size >= sizes[min(count, len(sizes)) - 1]][:count]

    names = [f"{weight.path}  {_divided_shape(weight, spec, mesh)}" for weight, spec in shown]
    width, height = 5.5 + 0.075 * max(map(len, names)), 1.2 + 0.3 * len(shown)
    figure, axes = pyplot(owner).subplots(figsize=(width, height), layout="constrained")
    for line, (weight, spec) in enumerate(shown):
        _draw_parts(axes, line, _parts(weight, NamedSharding(mesh, spec)), mesh.devices.size)
    axes.set(xlim=(0, 1), ylim=(len(shown) - 0.5, -0.5), xticks=[])
    axes.set_yticks(range(len(shown)), names)
    axes.tick_params(left=False)
    axes.spines[:].set_visible(False)
    right = axes.secondary_yaxis("right")
    right.set_yticks(
        range(len(shown)), [f"{_bytes(weight, spec, mesh):,}" for weight, spec in shown]
    )
    right.tick_params(right=False)
    right.spines[:].set_visible(False)
    top = {"xycoords": "axes fraction", "textcoords": "offset points", "xytext": (0, 4)}
    axes.annotate("bytes a device", (1.01, 1.0), fontsize="small", **top)
    axes.annotate("devices that have each part", (0.0, 1.0), fontsize="small", **top)
    figure.suptitle(_title(pairs, len(shown), mesh), x=0.01, ha="left", fontsize="medium")
    return save_figure(figure, file)


def _title(pairs: list[tuple[Weight, PartitionSpec]], shown: int, mesh: Any) -> str:
    whole = sum(weight.size for weight, _ in pairs)
    part = sum(_bytes(weight, spec, mesh) for weight, spec in pairs)
    axes = " and ".join(f"{size} along {name!r}" for name, size in mesh.shape.items())
    others = len(pairs) - shown
    rest = f"; {others} smaller weights are not drawn" if others else ""
    return (
        f"{mesh.devices.size} devices, {axes}: {part:,} bytes of weights a device, of "
        f"{whole:,}{rest}"
    )


def _parts(weight: Weight, sharding: NamedSharding) -> list[list[int]]:
    """Return for each part of a weight, in their order, the numbers of its devices in the mesh."""
    numbers = {device: number for number, device in enumerate(sharding.mesh.devices.flat)}
    parts: dict[tuple[int, ...], list[int]] = {}
    for device, index in sharding.devices_indices_map(weight.shape).items():
        start = tuple(each.start or 0 for each in index)
        parts.setdefault(start, []).append(numbers[device])
    return [sorted(parts[start]) for start in sorted(parts)]


def _draw_parts(axes: Any, line: int, parts: list[list[int]], devices: int) -> None:
    colors = pyplot("plot_placement").get_cmap("viridis")
    for position, numbers in enumerate(parts):
        is_whole = len(parts) == 1
        share = position / max(len(parts) - 1, 1)
        color = REPLICATED_COLOR if is_whole else colors(0.15 + 0.8 * share)
        axes.barh(
            line, 1 / len(parts), left=position / len(parts), height=0.78, color=color,
            edgecolor=EDGE, linewidth=1.0 if len(parts) <= MAX_PARTS_WITH_NUMBERS else 0.0,
        )  # fmt: skip
        if is_whole:
            text = f"whole on each of {devices} devices" if devices > 1 else "device 0"
        elif len(parts) <= MAX_PARTS_WITH_NUMBERS:
            text = _numbers(numbers)
        else:
            continue
        axes.text(
            (position + 0.5) / len(parts), line, text, ha="center", va="center",
            fontsize="small" if len(parts) <= 8 else "x-small",
            color="#1a202c" if is_whole or share > 0.55 else "white",
        )  # fmt: skip


def _numbers(numbers: list[int]) -> str:
    """Return the numbers of devices as text, shortened if there are many."""
    if len(numbers) <= 4:
        return ", ".join(map(str, numbers))
    return f"{numbers[0]}, {numbers[1]}, …, {numbers[-1]}"


def _divided_shape(weight: Weight, spec: PartitionSpec, mesh: Any) -> str:
    """Return a shape as text, in which a divided axis has the number of its parts: (8, 512/4)."""
    counts = [axis_size(mesh, axes) for axes in (*spec, *[None] * len(weight.shape))]
    sizes = [
        str(size) if count == 1 else f"{size}/{count}"
        for size, count in zip(weight.shape, counts, strict=False)
    ]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _bytes(weight: Weight, spec: PartitionSpec, mesh: Any) -> int:
    return weight.size // math.prod(axis_size(mesh, axes) for axes in spec)
