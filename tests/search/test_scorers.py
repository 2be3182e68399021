"""Scorers that use more than the outputs of their fold, and scorers that raise errors."""

import numpy as np
import pytest
from sklearn import model_selection
from sklearn.metrics import get_scorer

from fjax.search import GridSearchCV
from tests.search.networks import TARGETS, X, regressor

RATES = {"learning_rate": [0.01, 0.1]}


def score_other_rows(estimator, X, y):
    """Score the predictions for rows that are not in the fold."""
    return -np.abs(estimator.predict(0 * X) - estimator.predict(X)).max()


def score_weights(estimator, X, y):
    """Score the weights of the trained model."""
    return float(sum(np.abs(weight).sum() for weight in estimator.model_.get_weights()))


def score_changed_rows(estimator, X, y):
    """Score the predictions for rows that are changed in place."""
    before = estimator.predict(X)
    X = X.copy()
    X[:] = 0
    return float(np.abs(estimator.predict(X) - before).mean())


@pytest.mark.parametrize("scorer", [score_other_rows, score_weights, score_changed_rows])
def test_a_scorer_can_use_the_whole_estimator(scorer):
    tables = [
        search(regressor(), RATES, cv=3, scoring=scorer, refit=False).fit(X, TARGETS).cv_results_
        for search in (GridSearchCV, model_selection.GridSearchCV)
    ]
    for fold in range(3):
        actual, expected = (results[f"split{fold}_test_score"] for results in tables)
        np.testing.assert_allclose(actual, expected, rtol=1e-4)
        assert np.all(actual != 0)


def raise_for_large_rates(estimator, X, y):
    """Raise an error for one of the two candidates."""
    if estimator.get_params()["learning_rate"] > 0.05:
        raise ZeroDivisionError("nothing to divide by")
    return get_scorer("r2")(estimator, X, y)


def test_a_scorer_that_raises_fails_its_candidate_only():
    search = GridSearchCV(regressor(), RATES, cv=2, scoring=raise_for_large_rates)
    with pytest.warns(UserWarning, match="nothing to divide by"):
        search.fit(X, TARGETS)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores[0]) and np.isnan(scores[1])
    assert search.best_params_ == {"learning_rate": 0.01}


def test_a_scorer_that_raises_gives_the_error_score():
    scoring = {"good": "r2", "bad": raise_for_large_rates}
    search = GridSearchCV(regressor(), RATES, cv=2, scoring=scoring, refit="good", error_score=-7.0)
    with pytest.warns(UserWarning, match="set to -7.0"):
        search.fit(X, TARGETS)
    assert search.cv_results_["mean_test_bad"][1] == -7.0
    assert np.isfinite(search.cv_results_["mean_test_good"]).all()


def test_a_scorer_that_raises_ends_the_search_with_error_score_raise():
    search = GridSearchCV(
        regressor(), RATES, cv=2, scoring=raise_for_large_rates, error_score="raise"
    )
    with pytest.raises(ZeroDivisionError):
        search.fit(X, TARGETS)


def always_raise(estimator, X, y):
    """Raise an error."""
    raise ZeroDivisionError("nothing to divide by")


def test_a_scorer_that_always_raises_is_one_clear_error():
    search = GridSearchCV(regressor(), RATES, cv=2, scoring=always_raise)
    with (
        pytest.warns(UserWarning, match="Scoring failed"),
        pytest.raises(ValueError, match="fix the scorer"),
    ):
        search.fit(X, TARGETS)
    search.set_params(error_score=0.0)
    with pytest.warns(UserWarning, match="Scoring failed"):
        assert search.fit(X, TARGETS).cv_results_["mean_test_score"].tolist() == [0.0, 0.0]
