"""Metrics compared with those of scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    fbeta_score,
    jaccard_score,
    r2_score,
    roc_auc_score,
)

from fjax import metrics


def test_auc_equals_scikit_learn():
    random = np.random.default_rng(0)
    y_true = random.integers(0, 2, 4000)
    y_pred = np.clip(0.4 * y_true + random.uniform(0, 0.6, 4000), 0, 1).astype(np.float32)
    weights = random.uniform(0, 2, 4000)
    for weight in (None, weights):
        area = roc_auc_score(y_true, y_pred, sample_weight=weight)
        assert abs(float(metrics.AUC(2000)(y_true, y_pred, weight)) - area) < 1e-4
        area = average_precision_score(y_true, y_pred, sample_weight=weight)
        assert abs(float(metrics.AUC(2000, curve="PR")(y_true, y_pred, weight)) - area) < 1e-3


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
@pytest.mark.parametrize("weighted", [False, True])
def test_f_scores_equal_scikit_learn(average, weighted):
    random = np.random.default_rng(0)
    y_true, y_pred = random.integers(0, 2, (200, 4)), random.uniform(size=(200, 4))
    weights = random.uniform(0, 2, 200) if weighted else None
    expected = f1_score(y_true, y_pred > 0.5, average=average, sample_weight=weights)
    np.testing.assert_allclose(
        metrics.F1Score(average, threshold=0.5)(y_true, y_pred, weights), expected, rtol=1e-5
    )
    expected = fbeta_score(y_true, y_pred > 0.5, average=average, sample_weight=weights, beta=2.0)
    score = metrics.FBetaScore(average, beta=2.0, threshold=0.5)(y_true, y_pred, weights)
    np.testing.assert_allclose(score, expected, rtol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("aggregation", "multioutput"),
    [
        (None, "raw_values"),
        ("uniform_average", "uniform_average"),
        ("variance_weighted_average", "variance_weighted"),
    ],
)
def test_r2_equals_scikit_learn(aggregation, multioutput, weighted):
    random = np.random.default_rng(0)
    y_true = random.normal(size=(500, 3)) * [1, 2, 3] + 1
    y_pred = y_true + random.normal(size=(500, 3))
    weights = random.uniform(0, 2, 500) if weighted else None
    expected = r2_score(y_true, y_pred, multioutput=multioutput, sample_weight=weights)
    np.testing.assert_allclose(
        metrics.R2Score(aggregation)(y_true, y_pred, weights), expected, rtol=1e-5
    )


def test_iou_equals_scikit_learn():
    random = np.random.default_rng(0)
    y_true, y_pred = random.integers(0, 4, 300), random.integers(0, 4, 300)
    expected = jaccard_score(y_true, y_pred, average="macro")
    np.testing.assert_allclose(metrics.MeanIoU(4)(y_true, y_pred), expected, rtol=1e-5)
    weights = random.uniform(0, 2, 300)
    expected = jaccard_score(y_true, y_pred, average="macro", sample_weight=weights)
    np.testing.assert_allclose(metrics.MeanIoU(4)(y_true, y_pred, weights), expected, rtol=1e-5)
