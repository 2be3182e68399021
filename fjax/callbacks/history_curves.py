"""The logs of a run as curves for a notebook: a panel for each log, with its validation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fjax.markup import Band, Curve, Mark, Panel
from fjax.training.logs import losses_first

TRAINING, VALIDATION = "#3b82d6", "#d96a1d"

# The colors of the classes of a metric that has one value for each class.
CLASS_COLORS = (
    "#3b82d6", "#d96a1d", "#2f9e63", "#c2478d", "#8a6fd1", "#a8871b", "#1f9aa8", "#cf4a4a",
    "#7b8794", "#6f9a2d",
)  # fmt: skip


def history_panels(
    history: Mapping[str, Sequence[Any]],
    epochs: Sequence[int],
    spread: Mapping[str, Sequence[Any]] | None = None,
    metrics: Iterable[str] | None = None,
    mark: tuple[str, Mark] | None = None,
) -> list[Panel]:
    """Return the panels of a run, the loss first.

    Args:
        history: The values of each log; one that is missing in some epochs has fewer values, or
            None for these epochs.
        epochs: The numbers of the epochs, from 0; the curves count them from 1.
        spread: The standard deviations of the logs, drawn as bands.
        metrics: The logs to draw, without `val_`; by default all.
        mark: A log, and the mark in its panel.

    >>> panels = history_panels({"accuracy": [0.5], "loss": [1.0], "val_loss": [2.0]}, [0])
    >>> [(panel.title, [curve.label for curve in panel.curves]) for panel in panels]
    [('loss', ['training', 'validation']), ('accuracy', ['training'])]
    """
    bases = losses_first(
        dict.fromkeys(name.removeprefix("val_") for name in history), by_name=False
    )
    wanted = set(bases if metrics is None else metrics)
    panels = []
    for base in bases:
        if base not in wanted:
            continue
        curves = [
            *_curves(base, "training", TRAINING, history, epochs, spread or {}),
            *_curves(f"val_{base}", "validation", VALIDATION, history, epochs, spread or {}),
        ]
        ring = mark[1] if mark is not None and mark[0].removeprefix("val_") == base else None
        panels.append(Panel(base, curves, ring, log_scale=base == "learning_rate"))
    return panels


def _curves(
    name: str,
    label: str,
    color: str,
    history: Mapping[str, Sequence[Any]],
    epochs: Sequence[int],
    spread: Mapping[str, Sequence[Any]],
) -> list[Curve]:
    """Return the curve of a log; those of each class if it has several values."""
    logged = history.get(name, ())
    known = [value is not None for value in logged]
    if not any(known):
        return []
    values = np.asarray([value for value in logged if value is not None], np.float64)
    x = value_epochs(epochs, len(logged))[known]
    deviations = np.asarray(spread[name], np.float64) if name in spread else None
    if values.ndim == 1:
        return [Curve(label, color, x, values, _band(values, deviations))]
    columns = values.reshape(len(values), -1).T
    bands = None if deviations is None else deviations.reshape(len(values), -1).T
    part = "" if label == "training" else f", {label}"
    return [
        Curve(
            f"class {n}{part}", CLASS_COLORS[n % len(CLASS_COLORS)], x, column,
            _band(column, None if bands is None else bands[n]),
        )
        for n, column in enumerate(columns)
    ]  # fmt: skip


def _band(values: np.ndarray, deviations: np.ndarray | None) -> Band | None:
    return None if deviations is None else Band(values - deviations, values + deviations)


def value_epochs(epochs: Sequence[int], count: int) -> np.ndarray:
    """Return the epochs, from 1, of a log that `validation_freq` leaves out in some epochs.

    >>> value_epochs([0, 1, 2, 3], 2)
    array([2, 4])
    """
    every = max(len(epochs) // max(count, 1), 1)
    return np.asarray(list(epochs), int)[every - 1 :: every][:count] + 1
