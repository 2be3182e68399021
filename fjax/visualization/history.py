"""The curves of a training."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fjax.callbacks import History
from fjax.errors import explain_keywords, unknown_name
from fjax.visualization.figures import TRAINING, VALIDATION, checked_file, pyplot, tidy, written

# Up to so many epochs each is marked: a line of one point cannot be seen.
FEW = 20


@explain_keywords
def plot_history(
    history: Any,
    metrics: Iterable[str] | None = None,
    log_scale: bool = False,
    to_file: Any = None,
) -> Any:
    """Draw losses and metrics by epoch, training and validation side by side.

    Args:
        history: What `fit` returned, or its `history`: a dict of log names to one value an epoch.
        metrics: Which logs to draw, without `val_`; by default all, the loss first.
        log_scale: Whether the losses' axes are logarithmic; a learning rate's always is.
        to_file: Also write the figure into this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure; `figure.axes` has one axes for each log. In a script
        `matplotlib.pyplot.show()` opens its window.

    Raises:
        ImportError: matplotlib is missing.
        TypeError: It is no history.
        ValueError: The history is empty, or has no log of a name that was asked for.

    A validation that was not made after every epoch stands at the epochs after which it was made,
    as `validation_freq` spaces them; the legend says so. Where the history has a `spread`, a dict
    like its `history` with standard deviations over several runs, bands show it around the means.

    >>> figure = plot_history({"loss": [0.9, 0.5], "val_loss": [0.8, 0.7], "accuracy": [0.6, 0.9]})
    >>> [axes.get_title() for axes in figure.axes]
    ['loss', 'accuracy']
    """
    file = checked_file("plot_history", to_file)
    logs, spread, epochs = _logs(history)
    names = _names(logs, metrics)
    plt = pyplot("plot_history")
    across = min(3, len(names))
    down = math.ceil(len(names) / across)
    figure, grid = plt.subplots(
        down, across, figsize=(4.6 * across, 3.4 * down), layout="constrained", squeeze=False
    )
    for axes, name in zip(grid.flat, names, strict=False):
        for curve in _curves(logs, spread, name, epochs):
            if curve.spread is not None:
                axes.fill_between(
                    curve.epochs, curve.values - curve.spread, curve.values + curve.spread,
                    color=curve.color, alpha=0.2, linewidth=0,
                )  # fmt: skip
            marker = "o" if len(curve.epochs) <= FEW else None
            axes.plot(
                curve.epochs, curve.values, curve.line, color=curve.color, label=curve.label,
                marker=marker, markersize=3.5, linewidth=1.6,
            )  # fmt: skip
        if name == "learning_rate" or (log_scale and name.endswith("loss")):
            axes.set_yscale("log")
        axes.set(title=name, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        if len(axes.lines) > 1:
            columns = 1 if len(axes.lines) < 8 else 2
            axes.legend(framealpha=0.7, edgecolor="none", fontsize="small", ncols=columns)
        tidy(axes)
    for axes in list(grid.flat)[len(names) :]:
        axes.remove()
    return written(figure, file)


class _Curve(NamedTuple):
    """A line of a panel."""

    epochs: Sequence[int]
    values: np.ndarray
    label: str
    color: Any
    line: str
    spread: np.ndarray | None = None


class _Logs(NamedTuple):
    """The logs as arrays, epochs first, how far they spread, and the epochs' numbers from 1."""

    values: dict[str, np.ndarray]
    spread: dict[str, np.ndarray]
    epochs: Sequence[int]


def _logs(history: Any) -> _Logs:
    known: Sequence[int] = ()
    spread: Mapping[str, Any] = {}
    if isinstance(history, History):
        spread = getattr(history, "spread", spread)
        history, known = history.history, history.epoch
    if not isinstance(history, Mapping):
        raise TypeError(
            "`plot_history` takes what `fit` returned, or a dict of log names to lists with one "
            f"value an epoch, received {type(history).__name__}."
        )
    logs = {name: _numbers(name, values) for name, values in history.items()}
    spreads = {name: _numbers(name, values) for name, values in spread.items()}
    for name, values in spreads.items():
        if name not in logs or values.shape != logs[name].shape:
            raise ValueError(
                f"`plot_history`: the spread of {name!r} has shape {values.shape}, and its log "
                f"{logs[name].shape if name in logs else 'is not there'}."
            )
    count = max((len(values) for values in logs.values()), default=0)
    if not count:
        raise ValueError("`plot_history`: the history is empty: no epoch was made.")
    if len(known) == count:
        return _Logs(logs, spreads, [epoch + 1 for epoch in known])
    return _Logs(logs, spreads, range(1, count + 1))


def _numbers(name: str, values: Any) -> np.ndarray:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise _no_list(name, values) from error
    if array.ndim == 0:
        raise _no_list(name, values)
    return array


def _no_list(name: str, values: Any) -> TypeError:
    return TypeError(
        f"`plot_history`: the log {name!r} must be a list with one number an epoch, received "
        f"{values!r}."
    )


def _names(logs: Mapping[str, np.ndarray], asked: Iterable[str] | None) -> list[str]:
    """Return the panels: the names of logs without `val_`, the loss first."""
    there = list(dict.fromkeys(name.removeprefix("val_") for name in logs))
    there.sort(key=lambda name: name != "loss")
    if asked is None:
        return there
    names = [asked] if isinstance(asked, str) else list(asked)
    for name in names:
        if name not in there:
            raise unknown_name("log", name, there)
    if not names:
        raise ValueError(f"`plot_history`: `metrics` names no log. Logged: {', '.join(there)}.")
    return names


def _curves(
    logs: Mapping[str, np.ndarray],
    spread: Mapping[str, np.ndarray],
    name: str,
    epochs: Sequence[int],
) -> list[_Curve]:
    """Return the lines of a panel, one for each class where a metric has one value for each."""
    curves = []
    kinds = ((name, "training", TRAINING), (f"val_{name}", "validation", VALIDATION))
    for log, label, color in kinds:
        if log not in logs:
            continue
        values = logs[log]
        every = len(epochs) // max(len(values), 1)
        if len(values) * every + every <= len(epochs) or not len(values):
            raise ValueError(
                f"`plot_history`: {len(values)} values of {log!r} cannot be placed among "
                f"{len(epochs)} epochs: give one value an epoch, or one every so many epochs."
            )
        where = list(epochs)[every - 1 :: every][: len(values)]
        if every > 1:
            label = f"{label}, every {every} epochs"
        if values.ndim == 1:
            curves.append(_Curve(where, values, label, color, "-", spread.get(log)))
            continue
        dashed = log != name and name in logs
        columns = values.reshape(len(values), -1).T
        bands = spread[log].reshape(len(values), -1).T if log in spread else [None] * len(columns)
        for number, (column, band) in enumerate(zip(columns, bands, strict=True)):
            # A word for each class, and one for the dashes; an underscore is left out.
            word = f"class {number}" if not dashed else "_" if number else label
            line = "--" if dashed else "-"
            curves.append(_Curve(where, column, word, f"C{number % 10}", line, band))
    return curves
