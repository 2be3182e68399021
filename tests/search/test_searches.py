"""Searches as objects of scikit-learn, their compiled programs, and their progress bars."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold

import fjax
from fjax.search import GridSearchCV, RandomizedSearchCV
from tests.search.networks import TARGETS, X, regressor

pytestmark = pytest.mark.short

GRID = {"learning_rate": [0.01, 0.1], "n_neurons": [2, 3]}


@pytest.fixture(scope="module")
def fitted():
    """Return a fitted search."""
    return GridSearchCV(regressor(), GRID, cv=2).fit(X, TARGETS)


def test_parameters_and_clone(fitted):
    search = RandomizedSearchCV(regressor(), GRID, n_iter=3, at_once=4)
    assert search.get_params()["estimator__n_neurons"] == 4
    assert clone(search).get_params(deep=False).keys() == search.get_params(deep=False).keys()
    search.set_params(at_once=2, estimator__epochs=5)
    assert (search.at_once, search.estimator.epochs) == (2, 5)
    assert not hasattr(clone(fitted), "cv_results_")
    assert "at_once=2" in repr(search) and repr(fitted).startswith("GridSearchCV(")


def test_a_fit_changes_no_parameter():
    search = GridSearchCV(regressor(), GRID, cv=2)
    before = vars(search.estimator).copy()
    search.fit(X, TARGETS)
    assert vars(search.estimator) == before


def test_a_fitted_search_predicts_by_its_best_estimator(fitted):
    best = fitted.best_estimator_
    np.testing.assert_array_equal(fitted.predict(X), best.predict(X))
    assert fitted.score(X, TARGETS) == best.score(X, TARGETS)
    assert fitted.n_features_in_ == 3 and fitted.refit_time_ < fitted.search_time_
    assert best.model_.evaluate(X, TARGETS, verbose=0) > 0
    assert not hasattr(fitted, "predict_proba")


def test_a_search_that_is_not_fitted_raises():
    with pytest.raises(NotFittedError):
        GridSearchCV(regressor(), GRID).predict(X)


def test_a_fitted_search_can_be_pickled(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert again.best_params_ == fitted.best_params_


def test_a_search_is_repeatable(fitted):
    again = clone(fitted).fit(X, TARGETS)
    np.testing.assert_array_equal(
        again.cv_results_["mean_test_score"], fitted.cv_results_["mean_test_score"]
    )
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))


def test_a_history_for_each_candidate_and_fold(fitted):
    assert [len(own) for own in fitted.histories_] == [2, 2, 2, 2]
    assert all(len(one["loss"]) == 2 for own in fitted.histories_ for one in own)


def training_programs(names):
    return [name for name in names if "_advance" in name]


def test_hyperparameters_widths_seeds_and_folds_share_a_program(compilations):
    # No other test has networks of these widths.
    varied = {
        "learning_rate": [0.01, 0.02, 0.1],
        "n_neurons": [9, 10, 11],
        "dropout": [0.1, 0.2, 0.4],
        "random_state": [0, 1, 2],
        "beta_1": [0.8, 0.9],
    }
    search = RandomizedSearchCV(regressor(), varied, n_iter=6, cv=3, random_state=0)
    search.fit(X, TARGETS)
    assert search.n_architectures_ == 1
    assert len(training_programs(compilations)) == 1
    before = len(compilations)
    # Other rates, other folds: the same program.
    varied["learning_rate"] = [0.03, 0.05, 0.2]
    folds = KFold(3, shuffle=True, random_state=1)
    search.set_params(param_distributions=varied, cv=folds).fit(X, TARGETS)
    assert training_programs(compilations[before:]) == []


def test_another_depth_is_another_program(compilations):
    grid = {"n_hidden": [1, 2], "n_neurons": [7, 12], "learning_rate": [0.01, 0.1]}
    search = GridSearchCV(regressor(), grid, cv=2).fit(X, TARGETS)
    assert search.n_architectures_ == 2
    assert len(training_programs(compilations)) == 2


def test_fewer_members_at_once_give_the_same_scores(fitted):
    search = clone(fitted).set_params(at_once=3).fit(X, TARGETS)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], fitted.cv_results_["mean_test_score"], atol=1e-6
    )


def test_one_progress_bar_shows_the_epochs(capsys, fitted):
    clone(fitted).set_params(verbose=1).fit(X, TARGETS)
    printed = capsys.readouterr().err
    # The bar is redrawn in its line, how often depends on the time.
    assert "GridSearchCV: 100%" in printed and printed.count("\n") == 1
    assert "2/2" in printed and "4 candidates x 2 folds at once" in printed
    clone(fitted).fit(X, TARGETS)
    assert capsys.readouterr().err == ""


def test_importing_fjax_imports_no_scikit_learn():
    program = "import fjax, fjax.search, sys; sys.exit('sklearn' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_all_names_are_public():
    assert "GridSearchCV" in fjax.search.__all__
    assert fjax.search.GridSearchCV is GridSearchCV
