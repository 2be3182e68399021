"""Checks of targets on the host before training."""

import time

import numpy as np
import pytest

from fjax import losses

LABELS = np.array([0, 1, 2, 1])
ONE_HOT = np.eye(3)[LABELS]

INVALID = [
    (
        losses.SparseCategoricalCrossentropy(),
        np.array([0, 1, 3, 7]),
        (None, 3),
        "row 2 of y holds 3",
    ),
    (losses.SparseCategoricalCrossentropy(), np.array([0, 1, 3, 7]), (None, 3), "has 3 outputs"),
    (losses.SparseCategoricalCrossentropy(), np.array([0, -1]), (None, 3), "row 1 of y holds -1"),
    (losses.SparseCategoricalCrossentropy(), np.array([0, 0.5]), (None, 3), "row 1 of y holds 0.5"),
    (
        losses.SparseCategoricalCrossentropy(),
        np.array([0, np.nan]),
        (None, 3),
        "row 1 of y holds nan",
    ),
    (
        losses.SparseCategoricalCrossentropy(),
        ONE_HOT,
        (None, 3),
        "`categorical_crossentropy`.*argmax",
    ),
    (losses.SparseCategoricalCrossentropy(), LABELS, (None, 1), "one unit.*softmax.*binary_cross"),
    (losses.SparseCategoricalCrossentropy(), LABELS, (None,), "one unit for each class"),
    (losses.SparseCategoricalCrossentropy(), np.zeros((4, 2)), (None, 3), "one integer label"),
    (
        losses.CategoricalCrossentropy(),
        LABELS,
        (None, 3),
        "sparse_categorical_crossentropy.*to_cat",
    ),
    (
        losses.CategoricalCrossentropy(),
        LABELS[:, None],
        (None, 3),
        "sparse_categorical_crossentropy",
    ),
    (losses.CategoricalCrossentropy(), ONE_HOT, (None, 4), r"\(4, 3\) does not fit.*\(None, 4\)"),
    (losses.CategoricalCrossentropy(), LABELS, (None, 1), "one unit"),
    (losses.CategoricalCrossentropy(), ONE_HOT * np.nan, (None, 3), "row 0 of y holds nan"),
    (losses.CategoricalFocalCrossentropy(), LABELS, (None, 3), "sparse_categorical_crossentropy"),
    (losses.BinaryCrossentropy(), np.array([0, 1, 2]), (None, 1), "row 2 of y holds 2"),
    (losses.BinaryCrossentropy(), np.array([-1, 1]), (None, 1), "row 0 of y holds -1"),
    (losses.BinaryCrossentropy(), LABELS, (None, 3), "sparse_categorical_crossentropy"),
    (losses.BinaryFocalCrossentropy(), np.array([0.0, 1.5]), (None, 1), "row 1 of y holds 1.5"),
    (losses.Hinge(), np.array([-1, 2]), (None, 1), "row 1 of y holds 2"),
    (losses.SquaredHinge(), np.array([-1.5, 1]), (None, 1), "row 0 of y holds -1.5"),
    (losses.CategoricalHinge(), LABELS, (None, 3), "to_categorical"),
    (
        losses.MeanSquaredLogarithmicError(),
        np.array([0.0, -1.0]),
        (None, 1),
        "row 1 of y holds -1.0",
    ),
    (losses.CategoricalGeneralizedCrossEntropy(), LABELS + 1, (None, 3), "row 2 of y holds 3"),
    (losses.Dice(), ONE_HOT, (None, 4), r"\(4, 3\) does not fit"),
    (losses.Tversky(), ONE_HOT * np.nan, (None, 3), "row 0 of y holds nan"),
    (losses.Circle(), ONE_HOT, (None, 3), "one integer label for each embedding"),
    (losses.Circle(), LABELS + 0.5, (None, 3), "row 0 of y holds 0.5, expected integers"),
    (losses.CTC(), LABELS, (None, 5, 3), r"shape \(batch, labels\)"),
    (
        losses.CTC(),
        np.array([[1, 0], [1, 3]]),
        (None, 5, 3),
        r"y holds 3, .* 1 to 2 \(0 is",
    ),
    (
        losses.CTC(),
        np.array([[1, 2], [0, 1]]),
        (None, 5, 3),
        "row 1 of y holds 0, .*zeros only after",
    ),
    (losses.CTC(), np.array([[1, 2], [1, 1]]), (None, 2, 3), "row 1 of y needs 3 steps"),
    (losses.MeanSquaredError(), np.ones((4, 2)), (None, 3), r"\(4, 2\) does not fit.*\(None, 3\)"),
    (losses.MeanSquaredError(), np.ones(4), (None, 3), r"\(4,\) does not fit"),
    (losses.MeanAbsoluteError(), np.array([[1.0, 2.0], [1.0, np.inf]]), (None, 2), "row 1 of y"),
]


@pytest.mark.parametrize(("loss", "y_true", "shape", "message"), INVALID)
def test_invalid_targets_raise(loss, y_true, shape, message):
    with pytest.raises(ValueError, match=message) as caught:
        loss.check_targets(y_true, shape)
    assert str(caught.value).startswith(f"`{type(loss).__name__}`")


VALID = [
    (losses.SparseCategoricalCrossentropy(), LABELS, (None, 3)),
    (losses.SparseCategoricalCrossentropy(), LABELS.astype(np.uint8)[:, None], (4, 3)),
    (losses.SparseCategoricalCrossentropy(), LABELS.astype(np.float64), (None, 3)),
    (losses.SparseCategoricalCrossentropy(ignore_class=-1), np.array([0, -1]), (None, 3)),
    (losses.SparseCategoricalCrossentropy(), np.zeros((4, 5), int), (None, 5, 3)),
    (losses.SparseCategoricalCrossentropy(axis=1), np.zeros((4, 5), int), (None, 3, 5)),
    (losses.CategoricalCrossentropy(), ONE_HOT * 0.3, (None, 3)),
    (losses.BinaryCrossentropy(), np.array([True, False]), (None, 1)),
    (losses.BinaryCrossentropy(), np.array([0.0, 0.3]), (None, 1)),
    (losses.BinaryCrossentropy(), np.ones((4, 3)), (None, 3)),
    (losses.Hinge(), np.array([-1, 0, 1]), (None, 1)),
    (losses.MeanSquaredError(), np.ones(4), (None, 1)),
    (losses.MeanSquaredError(), np.ones((4, 1)), (None,)),
    (losses.MeanSquaredLogarithmicError(), np.array([-0.5, 3.0]), (None, 1)),
    (losses.FunctionLoss(losses.huber), np.ones((4, 7)), (None, 1)),
]


@pytest.mark.parametrize(("loss", "y_true", "shape"), VALID)
def test_valid_targets_pass(loss, y_true, shape):
    loss.check_targets(y_true, shape)


def test_errors_name_the_targets_as_the_caller_does():
    with pytest.raises(ValueError, match="row 0 of validation targets holds 9"):
        losses.SparseCategoricalCrossentropy().check_targets(
            np.array([9]), (None, 3), "validation targets"
        )


def test_sixty_thousand_rows_take_milliseconds():
    labels = np.random.default_rng(0).integers(0, 10, 60_000)
    start = time.perf_counter()
    losses.SparseCategoricalCrossentropy().check_targets(labels, (None, 10))
    losses.CategoricalCrossentropy().check_targets(np.eye(10)[labels], (None, 10))
    assert time.perf_counter() - start < 0.5
