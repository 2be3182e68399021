"""The predictions of a regression on one feature, with their uncertainty."""

from typing import Any

import numpy as np

from fjax.errors import explain_keywords
from fjax.visualization.figures import TRAINING, check_file, pyplot, save_figure, style_axes
from fjax.visualization.labels import require_finite


@explain_keywords
def plot_predictions(
    x: Any, y: Any, mean: Any, std: Any, grid: Any = None, to_file: Any = None
) -> Any:
    """Draw samples of one feature, the predictions, and bands of their standard deviation.

    Args:
        x: The feature of the samples, of shape (n,) or (n, 1).
        y: The targets of the samples, of the same shape.
        mean: The predictions, of the same shape: a model's outputs, or their mean over several
            models or several passes with dropout.
        std: The standard deviations of the predictions; the bands are one and two of them wide on
            each side.
        grid: The values of the feature at which `mean` and `std` were predicted, in any order; by
            default `x`.
        to_file: Also save the figure in this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: The arrays differ in length, are not columns of finite numbers, or a standard
            deviation is negative.

    >>> figure = plot_predictions([0, 1, 2], [0.1, 0.9, 2.2], [0, 1, 2], [0.1, 0.1, 0.3])
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['samples', 'mean', '1 standard deviation', '2 standard deviations']
    """
    owner = "plot_predictions"
    file = check_file(owner, to_file)
    x, y = _check_column(owner, "x", x), _check_column(owner, "y", y)
    grid_name = "x" if grid is None else "grid"
    grid = x if grid is None else _check_column(owner, "grid", grid)
    mean, std = _check_column(owner, "mean", mean), _check_column(owner, "std", std)
    for name, values, other, other_values in (
        ("y", y, "x", x), ("mean", mean, grid_name, grid), ("std", std, grid_name, grid)
    ):  # fmt: skip
        if len(values) != len(other_values):
            raise ValueError(
                f"`{owner}`: `{name}` has {len(values)} values, and `{other}` {len(other_values)}."
            )
    if (std < 0).any():
        row = int(np.argmax(std < 0))
        raise ValueError(f"`{owner}`: `std` must not be negative, row {row} holds {std[row]:g}.")

    order = np.argsort(grid, kind="stable")
    grid, mean, std = grid[order], mean[order], std[order]
    figure, axes = pyplot(owner).subplots(figsize=(6.4, 4.2), layout="constrained")
    size = float(np.clip(4000 / len(x), 8, 30))
    # Above the bands and below the line, which many samples would hide.
    axes.scatter(x, y, c="#1a202c", s=size, alpha=0.75, linewidths=0, zorder=2, label="samples")
    axes.plot(grid, mean, color=TRAINING, linewidth=2, zorder=3, label="mean")
    for count, alpha, label in (
        (1, 0.3, "1 standard deviation"),
        (2, 0.15, "2 standard deviations"),
    ):
        axes.fill_between(
            grid, mean - count * std, mean + count * std, color=TRAINING, alpha=alpha,
            linewidth=0, zorder=1, label=label,
        )  # fmt: skip
    axes.set(xlabel="x", ylabel="y")
    axes.legend(framealpha=0.7, edgecolor="none", fontsize="small")
    style_axes(axes)
    return save_figure(figure, file)


def _check_column(owner: str, argument: str, values: Any) -> np.ndarray:
    column = np.asarray(values)
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim != 1 or not len(column) or column.dtype.kind not in "buif":
        raise ValueError(
            f"`{owner}`: `{argument}` must hold numbers of shape (n,) or (n, 1), received shape "
            f"{column.shape} and dtype {column.dtype}."
        )
    require_finite(owner, argument, column)
    return column.astype(np.float64)
