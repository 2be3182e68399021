"""What all figures share: matplotlib, colors, and the file that a figure is saved in."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fjax.errors import import_extra, unknown_name

TRAINING, VALIDATION, MARK = "#2b6cb0", "#dd6b20", "#c53030"

ENDINGS = (".png", ".svg", ".pdf")


def pyplot(function: str) -> Any:
    """Return `matplotlib.pyplot`, or raise an ImportError that says how to install it."""
    return import_extra(function, "matplotlib.pyplot", "matplotlib", "viz")


def check_file(function: str, to_file: Any) -> Path | None:
    """Return the argument `to_file` of a figure as a path, or None if it is None."""
    return None if to_file is None else check_path(function, to_file, ENDINGS)


def check_path(function: str, to_file: Any, endings: Sequence[str]) -> Path:
    """Return the argument `to_file` as a path.

    Functions call this first, so that a mistake is found before anything is computed.

    Raises:
        ValueError: The extension is not one of an image.
        FileNotFoundError: The folder does not exist.
    """
    file = Path(to_file)
    if file.suffix.lower() not in endings:
        raise ValueError(
            f"`{function}`: `to_file` must end in one of {', '.join(endings)}, received "
            f"{str(to_file)!r}."
        )
    if not file.parent.is_dir():
        raise FileNotFoundError(
            f"`{function}`: the folder {str(file.parent)!r} of `to_file` does not exist: create it "
            "first."
        )
    return file


def select_names(
    function: str, argument: str, selected: Any, names: Sequence[str], kind: str, origin: str
) -> list[str]:
    """Return the names of the panels to draw: all, or those that an argument of a figure selects.

    Args:
        function: The function that errors name.
        argument: The argument.
        selected: Its value: one name, several, or None for all.
        names: All names.
        kind: What the names are names of, such as "log".
        origin: The word before the list of all names, such as "Logged".

    Raises:
        ValueError: A name is unknown, or no name is selected.
    """
    if selected is None:
        return list(names)
    selected = [selected] if isinstance(selected, str) else list(selected)
    for name in selected:
        if name not in names:
            raise unknown_name(kind, name, names)
    if not selected:
        raise ValueError(f"`{function}`: `{argument}` is empty. {origin}: {', '.join(names)}.")
    return selected


def panels(function: str, count: int, width: float, **options: Any) -> tuple[Any, Any]:
    """Return a figure with this many axes of a width in inches, at most three side by side.

    Returns:
        The figure and the grid of its axes, of which the first `count` are drawn.
    """
    columns = min(3, count)
    rows = math.ceil(count / columns)
    figure, grid = pyplot(function).subplots(
        rows, columns, figsize=(width * columns, 3.4 * rows), layout="constrained", squeeze=False,
        **options,
    )  # fmt: skip
    for axes in grid.flat[count:]:
        axes.remove()
    return figure, grid


def style_axes(axes: Any) -> None:
    """Give axes the style of all figures: a faint grid, and no frame at the top and right."""
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def save_figure(figure: Any, file: Path | None) -> Any:
    """Save the figure in the file, unless that is None, and return the figure."""
    if file is not None:
        figure.savefig(file, dpi=120)
    return figure
