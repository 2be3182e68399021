"""What all figures share: matplotlib, colors, and the file that a figure is written into."""

from pathlib import Path
from typing import Any

TRAINING, VALIDATION, MARK = "#2b6cb0", "#dd6b20", "#c53030"

ENDINGS = (".png", ".svg", ".pdf")


def pyplot(function: str) -> Any:
    """Return `matplotlib.pyplot`, or raise ImportError that tells how to install it."""
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError(
            f"`{function}` draws with matplotlib: `pip install fjax[viz]`, or `pip install "
            "matplotlib`."
        ) from error
    return matplotlib.pyplot


def checked_file(function: str, to_file: Any) -> Path | None:
    """Return the file to write into as a path, None for none, before anything is computed.

    Raises:
        ValueError: Its ending is none of a picture's.
        FileNotFoundError: Its folder does not exist.
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
            f"`{function}`: the folder {str(file.parent)!r} of `to_file` does not exist: make it "
            "first."
        )
    return file


def tidy(axes: Any) -> None:
    """Give axes of curves the house's look: a faint grid, no frame above and on the right."""
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def written(figure: Any, file: Path | None) -> Any:
    """Return the figure, written into the file if there is one."""
    if file is not None:
        figure.savefig(file, dpi=120)
    return figure
