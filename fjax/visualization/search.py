"""The scores of a search by the value of each hyperparameter."""

from collections.abc import Iterable, Mapping
from itertools import compress
from typing import Any

import numpy as np

from fjax.errors import explain_keywords, is_integer, is_number, unknown_name
from fjax.typing import HasSearchResults
from fjax.visualization.figures import (
    MARK,
    TRAINING,
    check_file,
    panels,
    save_figure,
    select_names,
    style_axes,
)

# The ratio of the largest to the smallest value from which the axis is logarithmic: two decades.
LOG_SCALE_RATIO = 100

# Category names that are longer in total are rotated.
MAX_HORIZONTAL_LENGTH = 40


@explain_keywords
def plot_search(
    cv_results: Any,
    parameters: Iterable[str] | None = None,
    metric: str = "score",
    to_file: Any = None,
) -> Any:
    """Draw the scores of a search by the value of each hyperparameter, with the best marked.

    Each panel shows the mean score of every candidate over the folds, with one standard deviation
    on each side. The axis of a hyperparameter is logarithmic if its values span two decades or
    more; values that are not numbers are categories.

    Args:
        cv_results: The `cv_results_` of a search in scikit-learn's form: a dict of arrays
            `param_*`, `mean_test_score`, `std_test_score` and `rank_test_score`.
        parameters: Which hyperparameters to draw, without `param_`; by default all.
        metric: The metric to draw, if the search has several.
        to_file: Also save the figure in this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure; `figure.axes` has one axes for each hyperparameter.

    Raises:
        ImportError: matplotlib is missing.
        TypeError: `cv_results` is not a dict.
        ValueError: An array is missing, no candidate has a score, or the search lacks one of the
            `parameters` or the `metric`.

    A candidate whose training failed has no score; the axis says how many of them there are.

    Source: scikit-learn's page "GridSearchCV", for `cv_results_`.

    >>> figure = plot_search({
    ...     "param_learning_rate": [1e-3, 1e-1], "mean_test_score": [0.7, 0.9],
    ...     "std_test_score": [0.02, 0.01], "rank_test_score": [2, 1],
    ... })
    >>> [axes.get_title() for axes in figure.axes], figure.axes[0].get_xscale()
    (['learning_rate'], 'log')
    """
    owner = "plot_search"
    file = check_file(owner, to_file)
    names = _panel_names(owner, cv_results, parameters)
    mean, std, rank = _scores(owner, cv_results, metric)
    has_score = np.isfinite(mean)
    # In a search by halving, the best candidate is the best one of the last round.
    rounds = np.asarray(cv_results.get("iter", np.zeros(len(mean))))
    in_last_round = rounds == rounds.max(initial=0)
    best = int(np.argmin(np.where(has_score & in_last_round, rank, np.inf)))
    failed = int(np.count_nonzero(~has_score))

    figure, grid = panels(owner, len(names), width=4.2, sharey=True)
    for axes, name in zip(grid.flat, names, strict=False):
        values = cv_results[f"param_{name}"]
        _check_length(owner, f"param_{name}", len(values), len(mean))
        # With a list of grids, the values of hyperparameters that a candidate lacks are masked.
        is_drawn = has_score & ~np.ma.getmaskarray(np.ma.asarray(values))
        positions = _positions(axes, np.ma.getdata(values), is_drawn)
        axes.errorbar(
            positions[is_drawn], mean[is_drawn], std[is_drawn], fmt="o", color=(TRAINING, 0.7),
            ecolor=(TRAINING, 0.3), markersize=4.5, elinewidth=1.2,
        )  # fmt: skip
        if is_drawn[best]:
            axes.plot(
                positions[best], mean[best], "*", color=MARK, markersize=13,
                markeredgecolor="white", zorder=3,
            )  # fmt: skip
        axes.set_title(name)
        style_axes(axes)
    for row in grid:
        row[0].set_ylabel(metric if not failed else f"{metric} ({failed} without)")
    # One legend for all panels, outside of them so that it hides no points.
    (star,) = grid[0, 0].plot([], [], "*", color=MARK, label=f"best: {mean[best]:.4g}")
    figure.legend(handles=[star], loc="outside upper right", frameon=False, fontsize="small")
    return save_figure(figure, file)


def _panel_names(owner: str, results: Any, parameters: Iterable[str] | None) -> list[str]:
    """Return the names of the hyperparameters to draw."""
    if not isinstance(results, Mapping):
        hint = " Give its `cv_results_`." if isinstance(results, HasSearchResults) else ""
        raise TypeError(
            f"`{owner}` takes a search's `cv_results_`, a dict of arrays, received "
            f"{type(results).__name__}.{hint}"
        )
    names = [name.removeprefix("param_") for name in results if name.startswith("param_")]
    if not names:
        raise ValueError(f"`{owner}`: `cv_results` has no array `param_*`: nothing was searched.")
    return select_names(owner, "parameters", parameters, names, "hyperparameter", "Searched")


def _scores(owner: str, results: Mapping[str, Any], metric: str) -> list[np.ndarray]:
    """Return the mean, the standard deviation and the rank of each candidate's score."""
    prefix = "mean_test_"
    metrics = [name.removeprefix(prefix) for name in results if name.startswith(prefix)]
    if metrics and metric not in metrics:
        raise unknown_name("metric", metric, metrics)
    arrays = []
    for name in (f"mean_test_{metric}", f"std_test_{metric}", f"rank_test_{metric}"):
        if name not in results:
            raise ValueError(f"`{owner}`: `cv_results` has no array {name!r}.")
        arrays.append(np.asarray(results[name], np.float64))
        _check_length(owner, name, len(arrays[-1]), len(arrays[0]))
    if not np.isfinite(arrays[0]).any():
        raise ValueError(f"`{owner}`: no candidate has a score in {prefix + metric!r}.")
    return arrays


def _check_length(owner: str, name: str, count: int, candidates: int) -> None:
    if count != candidates:
        raise ValueError(
            f"`{owner}`: {name!r} has {count} values, but there are scores of {candidates} "
            "candidates."
        )


def _positions(axes: Any, values: Any, is_drawn: np.ndarray) -> np.ndarray:
    """Return the positions of values on the axis, whose scale and ticks are set to fit them."""
    drawn = list(compress(values, is_drawn))
    if all(is_number(value) for value in drawn):
        if drawn and min(drawn) > 0 and max(drawn) >= LOG_SCALE_RATIO * min(drawn):
            axes.set_xscale("log")
        elif all(is_integer(value) for value in drawn):
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        return np.array([
            value if draw else np.nan for value, draw in zip(values, is_drawn, strict=True)
        ], np.float64)  # fmt: skip
    names = [getattr(value, "__name__", str(value)) for value in values]
    categories = list(dict.fromkeys(compress(names, is_drawn)))
    axes.set_xticks(range(len(categories)), categories)
    axes.set_xlim(-0.5, len(categories) - 0.5)
    if len("".join(categories)) > MAX_HORIZONTAL_LENGTH:
        axes.tick_params("x", rotation=30)
    positions = {name: float(position) for position, name in enumerate(categories)}
    return np.array([positions.get(name, np.nan) for name in names])
