"""Scorers that ask for more than the outputs of their fold, and scorers that raise."""

import numpy as np
import pytest
from sklearn import model_selection
from sklearn.metrics import get_scorer

from fjax.search import GridSearchCV
from tests.search.networks import NUMBERS, X, regressor

RATES = {"learning_rate": [0.01, 0.1]}


def moved(estimator, X, y):
    """Score by the predictions for other rows than those of the fold."""
    return -np.abs(estimator.predict(0 * X) - estimator.predict(X)).max()


def weighed(estimator, X, y):
    """Score by the weights of the trained model."""
    return float(sum(np.abs(weight).sum() for weight in estimator.model_.get_weights()))


def in_place(estimator, X, y):
    """Score by rows that are changed where they are."""
    before = estimator.predict(X)
    X = X.copy()
    X[:] = 0
    return float(np.abs(estimator.predict(X) - before).mean())


@pytest.mark.parametrize("scorer", [moved, weighed, in_place])
def test_a_scorer_may_ask_the_estimator_for_anything(scorer):
    found = [
        search(regressor(), RATES, cv=3, scoring=scorer, refit=False).fit(X, NUMBERS).cv_results_
        for search in (GridSearchCV, model_selection.GridSearchCV)
    ]
    for fold in range(3):
        own, wanted = (results[f"split{fold}_test_score"] for results in found)
        np.testing.assert_allclose(own, wanted, rtol=1e-4)
        assert np.all(own != 0)


def raising(estimator, X, y):
    """Raise for one of the two candidates."""
    if estimator.get_params()["learning_rate"] > 0.05:
        raise ZeroDivisionError("nothing to divide by")
    return get_scorer("r2")(estimator, X, y)


def test_a_scorer_that_raises_fails_its_candidate_alone():
    search = GridSearchCV(regressor(), RATES, cv=2, scoring=raising)
    with pytest.warns(UserWarning, match="nothing to divide by"):
        search.fit(X, NUMBERS)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores[0]) and np.isnan(scores[1])
    assert search.best_params_ == {"learning_rate": 0.01}


def test_a_scorer_that_raises_gives_the_error_score_and_others_count():
    scoring = {"good": "r2", "bad": raising}
    search = GridSearchCV(regressor(), RATES, cv=2, scoring=scoring, refit="good", error_score=-7.0)
    with pytest.warns(UserWarning, match="set to -7.0"):
        search.fit(X, NUMBERS)
    assert search.cv_results_["mean_test_bad"][1] == -7.0
    assert np.isfinite(search.cv_results_["mean_test_good"]).all()


def test_a_scorer_that_raises_ends_the_search_where_that_is_asked_for():
    search = GridSearchCV(regressor(), RATES, cv=2, scoring=raising, error_score="raise")
    with pytest.raises(ZeroDivisionError):
        search.fit(X, NUMBERS)


def always(estimator, X, y):
    """Raise."""
    raise ZeroDivisionError("nothing to divide by")


def test_a_scorer_that_always_raises_is_one_clear_error():
    search = GridSearchCV(regressor(), RATES, cv=2, scoring=always)
    with (
        pytest.warns(UserWarning, match="Scoring failed"),
        pytest.raises(ValueError, match="mend the scorer"),
    ):
        search.fit(X, NUMBERS)
    search.set_params(error_score=0.0)
    with pytest.warns(UserWarning, match="Scoring failed"):
        assert search.fit(X, NUMBERS).cv_results_["mean_test_score"].tolist() == [0.0, 0.0]
