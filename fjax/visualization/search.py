"""What a search over hyperparameters found: scores by the value of each."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fjax.errors import explain_keywords, is_integer, is_number, unknown_name
from fjax.visualization.figures import MARK, TRAINING, checked_file, pyplot, tidy, written

# What values must span for a logarithmic axis: two decades.
DECADES = 100

# Names of categories that are longer together stand aslant.
LEVEL = 40


@explain_keywords
def plot_search(
    cv_results: Any,
    parameters: Iterable[str] | None = None,
    metric: str = "score",
    to_file: Any = None,
) -> Any:
    """Draw the scores of a search by the value of each hyperparameter, the best one marked.

    A panel shows every candidate: its mean score over the folds at its value, with one standard
    deviation to both sides. The axis is logarithmic where the values span two decades or more;
    what is no number stands as a category.

    Args:
        cv_results: The `cv_results_` of a search in scikit-learn's form: a dict of arrays
            `param_*`, `mean_test_score`, `std_test_score` and `rank_test_score`.
        parameters: Which hyperparameters to draw, without `param_`; by default all.
        metric: Of a search with several metrics the one to draw.
        to_file: Also write the figure into this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure; `figure.axes` has one axes for each hyperparameter.

    Raises:
        ImportError: matplotlib is missing.
        TypeError: `cv_results` is no dict.
        ValueError: It lacks an array, no candidate has a score, or it knows no hyperparameter or
            metric of a name that was asked for.

    A candidate whose training failed has no score and cannot be drawn: the axis tells how many.

    Source: scikit-learn's page "GridSearchCV", for `cv_results_`.

    >>> figure = plot_search({
    ...     "param_learning_rate": [1e-3, 1e-1], "mean_test_score": [0.7, 0.9],
    ...     "std_test_score": [0.02, 0.01], "rank_test_score": [2, 1],
    ... })
    >>> [axes.get_title() for axes in figure.axes], figure.axes[0].get_xscale()
    (['learning_rate'], 'log')
    """
    owner = "plot_search"
    file = checked_file(owner, to_file)
    names = _parameters(owner, cv_results, parameters)
    mean, std, rank = _scores(owner, cv_results, metric)
    scored = np.isfinite(mean)
    # Of a search by halving the best of the last round is the best one.
    rounds = np.asarray(cv_results.get("iter", np.zeros(len(mean))))
    last = rounds == rounds.max(initial=0)
    best = int(np.argmin(np.where(scored & last, rank, np.inf)))
    missing = int(np.count_nonzero(~scored))

    across = min(3, len(names))
    down = math.ceil(len(names) / across)
    figure, grid = pyplot(owner).subplots(
        down, across, figsize=(4.2 * across, 3.4 * down), layout="constrained", squeeze=False,
        sharey=True,
    )  # fmt: skip
    for axes, name in zip(grid.flat, names, strict=False):
        values = cv_results[f"param_{name}"]
        _check_length(owner, f"param_{name}", len(values), len(mean))
        # A list of grids masks what a candidate does not have.
        there = scored & ~np.ma.getmaskarray(np.ma.asarray(values))
        places = _placed(axes, np.ma.getdata(values), there)
        axes.errorbar(
            places[there], mean[there], std[there], fmt="o", color=(TRAINING, 0.7),
            ecolor=(TRAINING, 0.3), markersize=4.5, elinewidth=1.2,
        )  # fmt: skip
        if there[best]:
            axes.plot(
                places[best], mean[best], "*", color=MARK, markersize=13, markeredgecolor="white",
                zorder=3,
            )  # fmt: skip
        axes.set_title(name)
        tidy(axes)
    for row in grid:
        row[0].set_ylabel(metric if not missing else f"{metric} ({missing} without)")
    # Once for all panels, and where it hides nothing.
    (star,) = grid[0, 0].plot([], [], "*", color=MARK, label=f"best: {mean[best]:.4g}")
    figure.legend(handles=[star], loc="outside upper right", frameon=False, fontsize="small")
    for axes in list(grid.flat)[len(names) :]:
        axes.remove()
    return written(figure, file)


def _parameters(owner: str, results: Any, asked: Iterable[str] | None) -> list[str]:
    """Return the names of the hyperparameters to draw."""
    if not isinstance(results, Mapping):
        hint = " Give its `cv_results_`." if hasattr(results, "cv_results_") else ""
        raise TypeError(
            f"`{owner}` takes a search's `cv_results_`, a dict of arrays, received "
            f"{type(results).__name__}.{hint}"
        )
    there = [name.removeprefix("param_") for name in results if name.startswith("param_")]
    if not there:
        raise ValueError(f"`{owner}`: `cv_results` has no array `param_*`: nothing was searched.")
    if asked is None:
        return there
    names = [asked] if isinstance(asked, str) else list(asked)
    for name in names:
        if name not in there:
            raise unknown_name("hyperparameter", name, there)
    if not names:
        raise ValueError(f"`{owner}`: `parameters` names none. Searched: {', '.join(there)}.")
    return names


def _scores(owner: str, results: Mapping[str, Any], metric: str) -> list[np.ndarray]:
    """Return the mean, the standard deviation and the rank of each candidate's score."""
    begin = "mean_test_"
    known = [name.removeprefix(begin) for name in results if name.startswith(begin)]
    if known and metric not in known:
        raise unknown_name("metric", metric, known)
    arrays = []
    for name in (f"mean_test_{metric}", f"std_test_{metric}", f"rank_test_{metric}"):
        if name not in results:
            raise ValueError(f"`{owner}`: `cv_results` has no array {name!r}.")
        arrays.append(np.asarray(results[name], np.float64))
        _check_length(owner, name, len(arrays[-1]), len(arrays[0]))
    if not np.isfinite(arrays[0]).any():
        raise ValueError(f"`{owner}`: no candidate has a score in {begin + metric!r}.")
    return arrays


def _check_length(owner: str, name: str, count: int, candidates: int) -> None:
    if count != candidates:
        raise ValueError(
            f"`{owner}`: {name!r} has {count} values, and there are scores of {candidates} "
            "candidates."
        )


def _placed(axes: Any, values: Any, there: np.ndarray) -> np.ndarray:
    """Return where the values stand on the axis, which is made to fit them."""
    drawn = [value for value, is_there in zip(values, there, strict=True) if is_there]
    if all(is_number(value) for value in drawn):
        if drawn and min(drawn) > 0 and max(drawn) >= DECADES * min(drawn):
            axes.set_xscale("log")
        elif all(is_integer(value) for value in drawn):
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        return np.array([
            value if is_there else np.nan for value, is_there in zip(values, there, strict=True)
        ], np.float64)  # fmt: skip
    words = [getattr(value, "__name__", str(value)) for value in values]
    categories = list(dict.fromkeys(
        word for word, is_there in zip(words, there, strict=True) if is_there
    ))  # fmt: skip
    axes.set_xticks(range(len(categories)), categories)
    axes.set_xlim(-0.5, len(categories) - 0.5)
    if len("".join(categories)) > LEVEL:
        axes.tick_params("x", rotation=30)
    places = {word: float(place) for place, word in enumerate(categories)}
    return np.array([places.get(word, np.nan) for word in words])
