"""What all figures share: matplotlib, colors, and the file that a figure is saved in."""

from pathlib import Path
from typing import Any

TRAINING, VALIDATION, MARK = "#2b6cb0", "#dd6b20", "#c53030"

ENDINGS = (".png", ".svg", ".pdf")


def pyplot(function: str) -> Any:
    """Return `matplotlib.pyplot`, or raise an ImportError that says how to install it."""
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError(
            f"`{function}` draws with matplotlib: `pip install fjax[viz]`, or `pip install "
            "matplotlib`."
        ) from error
    return matplotlib.pyplot


def check_file(function: str, to_file: Any) -> Path | None:
    """Return the argument `to_file` as a path, or None if it is None.

    Functions call this first, so that a mistake is found before anything is computed.

    Raises:
        ValueError: The extension is not one of an image.
        FileNotFoundError: The folder does not exist.
    """
    if to_file is None:
        return None
    file = Path(to_file)
    if file.suffix.lower() not in ENDINGS:
        raise ValueError(
            f"`{function}`: `to_file` must end in one of {', '.join(ENDINGS)}, received "
            f"{str(to_file)!r}."
        )
    if not file.parent.is_dir():
        raise FileNotFoundError(
            f"`{function}`: the folder {str(file.parent)!r} of `to_file` does not exist: create it "
            "first."
        )
    return file


def style_axes(axes: Any) -> None:
    """Give axes the style of all figures: a faint grid, and no frame at the top and right."""
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def save_figure(figure: Any, file: Path | None) -> Any:
    """Save the figure in the file, unless that is None, and return the figure."""
    if file is not None:
        figure.savefig(file, dpi=120)
    return figure
