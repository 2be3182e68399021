"""The data of a search on the device: once, and for each fold the rows that belong to it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

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
        ValueError: A fold has no row to train on.
    """
    weighted = weight is not None or training.class_weight is not None
    blocks, count, folds = [whole], len(whole.x), []
    for number, (train, test) in enumerate(splits):
        if not len(train):
            raise ValueError(
                f"`{owner}`: fold {number + 1} has no row to train on, the data has "
                f"{len(whole.x)} rows: give fewer folds."
            )
        rows, held_out = np.asarray(train, np.int32), None
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
