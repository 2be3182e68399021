"""The curves of losses and metrics over the epochs of a training."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fjax.callbacks import History
from fjax.errors import explain_keywords
from fjax.training.logs import losses_first
from fjax.visualization.figures import (
    TRAINING,
    VALIDATION,
    check_file,
    panels,
    save_figure,
    select_names,
    style_axes,
)

# Up to this many epochs have markers, without which a line of one point cannot be seen.
MAX_EPOCHS_WITH_MARKERS = 20


@explain_keywords
def plot_history(
    history: Any,
    metrics: Iterable[str] | None = None,
    log_scale: bool = False,
    to_file: Any = None,
) -> Any:
    """Draw losses and metrics by epoch, with training and validation in one panel.

    Args:
        history: The result of `fit`, or its `history`: a dict of log names to one value per epoch.
        metrics: Which logs to draw, without `val_`; by default all, the loss first.
        log_scale: Whether the axes of losses are logarithmic; that of a learning rate always is.
        to_file: Also save the figure in this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure; `figure.axes` has one axes for each log. In a script,
        `matplotlib.pyplot.show()` opens its window.

    Raises:
        ImportError: matplotlib is missing.
        TypeError: `history` is not a history.
        ValueError: The history is empty, or `metrics` names a log that it lacks.

    If `validation_freq` left out epochs, the validation is drawn at the epochs that it followed,
    and the legend says how many those are. If the history has a `spread`, the standard deviations
    of its logs over several runs, bands around the curves show it.

    >>> figure = plot_history({"loss": [0.9, 0.5], "val_loss": [0.8, 0.7], "accuracy": [0.6, 0.9]})
    >>> [axes.get_title() for axes in figure.axes]
    ['loss', 'accuracy']
    """
    file = check_file("plot_history", to_file)
    logs, spread, epochs = _read_history(history)
    names = losses_first(dict.fromkeys(name.removeprefix("val_") for name in logs), by_name=False)
    names = select_names("plot_history", "metrics", metrics, names, "log", "Logged")
    figure, grid = panels("plot_history", len(names), width=4.6)
    for axes, name in zip(grid.flat, names, strict=False):
        for curve in _curves(logs, spread, name, epochs):
            if curve.spread is not None:
                axes.fill_between(
                    curve.epochs, curve.values - curve.spread, curve.values + curve.spread,
                    color=curve.color, alpha=0.2, linewidth=0,
                )  # fmt: skip
            marker = "o" if len(curve.epochs) <= MAX_EPOCHS_WITH_MARKERS else None
            axes.plot(
                curve.epochs, curve.values, curve.style, color=curve.color, label=curve.label,
                marker=marker, markersize=3.5, linewidth=1.6,
            )  # fmt: skip
        if name == "learning_rate" or (log_scale and name.endswith("loss")):
            axes.set_yscale("log")
        axes.set(title=name, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        if len(axes.lines) > 1:
            axes.legend(
                framealpha=0.7, edgecolor="none", fontsize="small",
                ncols=1 if len(axes.lines) < 8 else 2,
            )  # fmt: skip
        style_axes(axes)
    return save_figure(figure, file)


class _Curve(NamedTuple):
    """A line of a panel."""

    epochs: Sequence[int]
    values: np.ndarray
    label: str
    color: Any
    style: str
    spread: np.ndarray | None = None


def _read_history(
    history: Any,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], Sequence[int]]:
    """Return the values of each log and their standard deviations, and the epochs from 1."""
    epochs: Sequence[int] = ()
    spread: Mapping[str, Any] = {}
    if isinstance(history, History):
        history, spread, epochs = history.history, history.spread, history.epoch
    if not isinstance(history, Mapping):
        raise TypeError(
            "`plot_history` takes the result of `fit`, or a dict of log names to lists with one "
            f"value per epoch, received {type(history).__name__}."
        )
    logs = {name: _to_array(name, values) for name, values in history.items()}
    spreads = {name: _to_array(name, values) for name, values in spread.items()}
    for name, values in spreads.items():
        if name not in logs or values.shape != logs[name].shape:
            raise ValueError(
                f"`plot_history`: the spread of {name!r} has shape {values.shape}, and its log "
                f"{f'has shape {logs[name].shape}' if name in logs else 'is missing'}."
            )
    count = max((len(values) for values in logs.values()), default=0)
    if not count:
        raise ValueError("`plot_history`: the history is empty: it holds no epoch.")
    if len(epochs) == count:
        return logs, spreads, [epoch + 1 for epoch in epochs]
    return logs, spreads, range(1, count + 1)


def _to_array(name: str, values: Any) -> np.ndarray:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        array = np.zeros(())
    if array.ndim == 0:
        raise TypeError(
            f"`plot_history`: the log {name!r} must be a list with one number per epoch, received "
            f"{values!r}."
        )
    return array


def _curves(
    logs: Mapping[str, np.ndarray],
    spread: Mapping[str, np.ndarray],
    name: str,
    epochs: Sequence[int],
) -> list[_Curve]:
    """Return the lines of a panel; a metric with one value per class has one line per class."""
    curves = []
    parts = ((name, "training", TRAINING), (f"val_{name}", "validation", VALIDATION))
    for log, label, color in parts:
        if log not in logs:
            continue
        values = logs[log]
        every = len(epochs) // max(len(values), 1)
        if len(values) * every + every <= len(epochs) or not len(values):
            raise ValueError(
                f"`plot_history`: {len(values)} values of {log!r} do not fit {len(epochs)} "
                "epochs: give one value for each epoch, or for each n-th epoch."
            )
        value_epochs = list(epochs)[every - 1 :: every][: len(values)]
        if every > 1:
            label = f"{label}, every {every} epochs"
        if values.ndim == 1:
            curves.append(_Curve(value_epochs, values, label, color, "-", spread.get(log)))
            continue
        is_dashed = log != name and name in logs
        columns = values.reshape(len(values), -1).T
        bands = spread[log].reshape(len(values), -1).T if log in spread else [None] * len(columns)
        for number, (column, band) in enumerate(zip(columns, bands, strict=True)):
            # The legend names each class once, and the dashed lines once: matplotlib leaves out
            # labels that begin with an underscore.
            line_label = f"class {number}" if not is_dashed else "_" if number else label
            style = "--" if is_dashed else "-"
            line_color = f"C{number % 10}"
            curves.append(_Curve(value_epochs, column, line_label, line_color, style, band))
    return curves
