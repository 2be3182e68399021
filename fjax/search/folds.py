"""The data of a search: on the device once, and for each fold the rows that belong to it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fjax.models.membership import concatenate
from fjax.search.candidates import Training
from fjax.training import Batch
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples

# The rows to train on, and the rows that are held out.
Split = tuple[np.ndarray, np.ndarray]


class SearchData(NamedTuple):
    """What a search trains on.

    Attributes:
        owner: The search that errors name.
        estimator: The estimator, without the parameters of a candidate.
        examples: All data, checked.
        sample_weight: The weight of each row, or None.
        at_once: How many members a program has room for; None for the default of the device.
    """

    owner: str
    estimator: Estimator
    examples: Examples
    sample_weight: np.ndarray | None
    at_once: int | None


class Fold(NamedTuple):
    """The rows of one fold.

    Attributes:
        rows: The rows of the data of all folds to train on.
        validation_rows: The rows of that data to validate on after each epoch, or None.
        train: The rows of `X` to train on, whatever their weights.
        test: The rows of `X` to score on.
    """

    rows: np.ndarray
    validation_rows: np.ndarray | None
    train: np.ndarray
    test: np.ndarray


def check_splits(owner: str, splits: Iterable[Any], count: int) -> list[Split]:
    """Return splits as row numbers; a boolean mask is converted.

    Args:
        owner: The function that errors name.
        splits: For each fold the rows to train on and the rows that are held out.
        count: The number of rows of the data.

    Raises:
        ValueError: There is no fold, a fold has no rows on one side, or a row does not exist: a
            compiled program would read another row instead.
    """
    checked = []
    for number, pair in enumerate(splits, start=1):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(
                f"`{owner}`: `cv` must give a pair `(train, test)` for each fold, and gave "
                f"{pair!r} for fold {number}."
            )
        train, test = (_row_numbers(owner, number, side, count) for side in pair)
        if not len(train) or not len(test):
            raise ValueError(
                f"`{owner}`: fold {number} has {len(train)} rows to train on and {len(test)} held "
                f"out, of {count}: both need at least one; use fewer folds."
            )
        checked.append((train, test))
    if not checked:
        raise ValueError(f"`{owner}`: `cv` gives no folds.")
    return checked


def _row_numbers(owner: str, fold: int, side: Any, count: int) -> np.ndarray:
    rows = np.asarray(side)
    if rows.dtype == bool and rows.shape == (count,):
        rows = np.flatnonzero(rows)
    if not rows.size:
        return np.zeros(0, np.int32)
    if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(
            f"`{owner}`: fold {fold} must hold row numbers, or a mask of {count} booleans, "
            f"received an array of {rows.dtype} and shape {rows.shape}."
        )
    if rows.min() < 0 or rows.max() >= count:
        wrong = rows.min() if rows.min() < 0 else rows.max()
        raise ValueError(
            f"`{owner}`: fold {fold} has the row {wrong}, and the data has the rows 0 to "
            f"{count - 1}."
        )
    return rows.astype(np.int32)


def make_folds(
    search: SearchData, splits: Sequence[Split], training: Training
) -> tuple[Examples, list[Fold]]:
    """Return the data of the folds, checked, and their rows of it.

    The data is the rows of `X`, followed by rows with the weights of a fold and rows to validate
    on. Weights are relative to the other weights of a fold. Therefore each fold has its own copy of
    weighted data; all folds share one copy of data without weights.

    Args:
        search: What the search trains on; no row is left out.
        splits: For each fold the rows to train on and to score on.
        training: How the members are trained.

    Raises:
        ValueError: All rows of a fold have weight 0, or there are too few to hold out a share.
    """
    owner, estimator, whole, weight, _ = search
    weighted = whole._replace(sample_weight=weight)
    is_weighted = weight is not None or training.class_weight is not None
    blocks, count = [whole.batch], len(whole.x)
    folds: list[Fold] = []
    for train, test in splits:
        rows, held_out, examples = train, None, weighted.rows(train)
        if examples.sample_weight is not None:
            if not examples.sample_weight.any():
                raise ValueError(
                    f"`{owner}`: all {len(rows)} rows that fold {len(folds) + 1} trains on have "
                    "weight 0: use fewer folds, or leave out the rows with weight 0."
                )
            examples = examples.rows(examples.sample_weight > 0)
        if is_weighted:
            examples = estimator.with_class_weight(examples, training.class_weight)
            rows = np.arange(count, count + len(examples.x), dtype=np.int32)
            count += len(rows)
        share = 0.0 if training.validation_data is not None else training.validation_split
        trained, validated = examples.split(share)
        if validated is not None:
            held_out = rows[len(trained.x) :]
        if is_weighted:
            parts = (trained, validated)
            blocks += [_relative_batch(part) for part in parts if part is not None]
        rows = rows[trained.order(training.batch_size)]
        folds.append(Fold(rows, held_out, train, test))
    if training.validation_data is not None:
        validation = estimator.prepare_validation(training.validation_data, whole)
        blocks.append(_relative_batch(validation))
        held_out = np.arange(count, count + len(validation.x), dtype=np.int32)
        folds = [fold._replace(validation_rows=held_out) for fold in folds]
    if len(blocks) == 1:
        # Large data is not copied.
        return whole, folds
    return whole.with_batch(concatenate(*blocks)), folds


def _relative_batch(examples: Examples) -> Batch:
    return examples.batch._replace(sample_weight=examples.relative_weight)
