"""The data of a search on the device: once, and for each fold the rows that belong to it."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fjax.search.candidates import Training
from fjax.wrappers.classifier import weighted as by_class
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples

Split = tuple[np.ndarray, np.ndarray]


class Fold(NamedTuple):
    """Which rows of the data a fold trains, validates and is scored on.

    Attributes:
        rows: The rows to train on.
        validation_rows: The rows to validate on after each epoch, or None.
        train: The rows of `X` to train on, whatever their weights.
        test: The rows of `X` to score on.
    """

    rows: np.ndarray
    validation_rows: np.ndarray | None
    train: np.ndarray
    test: np.ndarray


class Folds(NamedTuple):
    """The data of all folds.

    Attributes:
        whole: The rows of `X`.
        examples: The same rows, and behind them what else is needed.
        folds: The folds.
    """

    whole: Examples
    examples: Examples
    folds: list[Fold]


def checked_splits(owner: str, splits: Iterable[Any], count: int) -> list[Split]:
    """Return splits as the numbers of rows; a mask of booleans is turned into these.

    Args:
        owner: Whom an error names.
        splits: For each fold the rows to train on and those that are held out.
        count: How many rows there are.

    Raises:
        ValueError: There is no fold, one has no rows on a side, or a row is not there: a compiled
            program would read another one in its place.
    """
    found = []
    for number, pair in enumerate(splits, start=1):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(
                f"`{owner}`: `cv` must give a pair `(train, test)` for each fold, and gave "
                f"{pair!r} for fold {number}."
            )
        train, test = (_numbers_of_rows(owner, number, side, count) for side in pair)
        if not len(train) or not len(test):
            raise ValueError(
                f"`{owner}`: fold {number} has {len(train)} rows to train on and {len(test)} held "
                f"out, of {count}: both need one at least; give fewer folds."
            )
        found.append((train, test))
    if not found:
        raise ValueError(f"`{owner}`: `cv` gives no fold.")
    return found


def _numbers_of_rows(owner: str, fold: int, side: Any, count: int) -> np.ndarray:
    rows = np.asarray(side)
    if rows.dtype == bool and rows.shape == (count,):
        rows = np.flatnonzero(rows)
    if not rows.size:
        return np.zeros(0, np.int64)
    if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(
            f"`{owner}`: fold {fold} must be numbers of rows, or a mask of {count} booleans, "
            f"received an array of {rows.dtype} and shape {rows.shape}."
        )
    if rows.min() < 0 or rows.max() >= count:
        wrong = rows.min() if rows.min() < 0 else rows.max()
        raise ValueError(
            f"`{owner}`: fold {fold} asks for row {wrong}, and the data has the rows 0 to "
            f"{count - 1}."
        )
    return rows


def folds_of(
    owner: str,
    estimator: Estimator,
    whole: Examples,
    weight: np.ndarray | None,
    splits: Sequence[Split],
    training: Training,
) -> Folds:
    """Return the data of the folds, checked.

    Weights are relative to one another within a fold, so that of weighted data each fold has its
    rows for itself; of any other all folds share one copy.

    Args:
        owner: Whom an error names.
        estimator: The estimator.
        whole: The rows of `X`, none left out.
        weight: What each of them counts, or None.
        splits: For each fold the rows to train on and to score on.
        training: How the members are trained.

    Raises:
        ValueError: A fold has no row that counts, or too few to part for a validation.
    """
    weighted = weight is not None or training.class_weight is not None
    blocks, count = [whole], len(whole.x)
    folds: list[Fold] = []
    for train, test in splits:
        rows, held_out = np.asarray(train, np.int32), None
        if weight is not None and not weight[rows].any():
            raise ValueError(
                f"`{owner}`: all {len(rows)} rows that fold {len(folds) + 1} trains on have the "
                "weight 0: give fewer folds, or leave the rows without weight out."
            )
        own = whole.rows(rows)
        if weighted:
            own = _weighted(estimator, own, weight, rows, training)
            rows = np.arange(count, count + len(own.x), dtype=np.int32)
            count += len(rows)
        cut = len(rows)
        if training.validation_data is None and training.validation_split:
            cut = _cut(owner, cut, training.validation_split)
            held_out = rows[cut:]
        trained = own.rows(slice(cut))
        if weighted:
            blocks.append(_relative(trained))
            if held_out is not None:
                blocks.append(_relative(own.rows(slice(cut, None))))
        rows = rows[trained.order(training.batch_size)]
        both = (np.asarray(index, np.int32) for index in (train, test))
        folds.append(Fold(rows, held_out, *both))
    if training.validation_data is not None:
        blocks.append(_relative(estimator._validation(training.validation_data, whole)))
        held_out = np.arange(count, count + len(blocks[-1].x), dtype=np.int32)
        folds = [fold._replace(validation_rows=held_out) for fold in folds]
    return Folds(whole, _joined(blocks), folds)


def _weighted(
    estimator: Estimator,
    own: Examples,
    weight: np.ndarray | None,
    rows: np.ndarray,
    training: Training,
) -> Examples:
    """Return a fold's rows that count, with their weights."""
    if weight is not None:
        own = own._replace(sample_weight=weight[rows]).rows(weight[rows] > 0)
    if training.class_weight is not None:
        own = by_class(type(estimator).__name__, own, training.class_weight)
    return own


def _relative(examples: Examples) -> Examples:
    return examples._replace(sample_weight=examples.relative_weight)


def _cut(owner: str, count: int, share: float) -> int:
    """Return how many rows are trained on where a share of them is held out."""
    cut = math.floor(count * (1.0 - share))
    if cut in (0, count):
        raise ValueError(
            f"`{owner}`: `validation_split={share}` of {count} samples leaves {cut} to train on "
            f"and {count - cut} to validate on: both need one at least."
        )
    return cut


def _joined(blocks: Sequence[Examples]) -> Examples:
    if len(blocks) == 1:
        return blocks[0]
    weighted = any(block.sample_weight is not None for block in blocks)
    weights = [
        np.ones(len(block.x), np.float32) if block.sample_weight is None else block.sample_weight
        for block in blocks
    ]
    return blocks[0]._replace(
        x=np.concatenate([block.x for block in blocks]),
        y=np.concatenate([block.y for block in blocks]),
        sample_weight=np.concatenate(weights) if weighted else None,
    )
