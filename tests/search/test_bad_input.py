"""What cannot be searched is told once, by name, and as early as it can be known."""

import sys
import warnings

import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

import fjax
from fjax.search import GridSearchCV, RandomizedSearchCV
from tests.search.networks import NUMBERS, X, classifier, regression, regressor

RATES = {"learning_rate": [0.01, 0.1]}


def refused(search, *, y=NUMBERS, error=ValueError, **fit):
    """Return the message with which a search ends."""
    with pytest.raises(error) as caught:
        search.fit(X, y, **fit)
    return str(caught.value)


def test_a_parameter_that_the_function_does_not_know():
    message = refused(GridSearchCV(regressor(), {"n_neuron": [2]}, cv=2))
    assert "n_neuron" in message and "Did you mean `n_neurons`?" in message


def nothing(learning_rate=0.1):
    return None


def not_compiled(learning_rate=0.1):
    return fjax.Sequential([fjax.Input((3,)), fjax.layers.Dense(1)])


@pytest.mark.parametrize(
    ("build", "what"),
    [(nothing, "`nothing` returned None"), (not_compiled, "a model that is not compiled")],
)
def test_a_function_that_builds_no_compiled_model(build, what):
    estimator = fjax.wrappers.SKLearnRegressor(build)
    assert what in refused(GridSearchCV(estimator, RATES, cv=2), error=TypeError)


def own_step(learning_rate=0.1):
    model = regression(learning_rate=learning_rate)
    model.compile("sgd", "mse", train_step=lambda state, batch: (state, {}))
    return model


def test_a_step_of_ones_own():
    estimator = fjax.wrappers.SKLearnRegressor(own_step)
    message = refused(GridSearchCV(estimator, RATES, cv=2), error=TypeError)
    assert "`GridSearchCV`" in message and "`train_step`" in message


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"cv": 100}, "n_splits=100"),
        ({"cv": 2, "at_once": 0}, "`at_once` must be an integer of at least 1, received 0"),
        ({"cv": 2, "error_score": "none"}, '`error_score` must be a number or "raise"'),
        ({"cv": 2, "scoring": ["r2", "neg_max_error"]}, "'r2', 'neg_max_error', or be False"),
        ({"cv": 2, "scoring": {"a": "r2"}, "refit": "r2"}, "decides, 'a', or be False"),
        ({"cv": 2, "refit": lambda results: 7}, "from 0 to 1, it returned 7"),
        ({"cv": 2, "scoring": lambda estimator, x, y: "good"}, "must return a number"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else None,
)
def test_arguments_that_are_none(arguments, what):
    assert what in refused(GridSearchCV(regressor(), RATES, **arguments))


def test_several_scorers_without_a_choice_are_told_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr("fjax.search.base.companies", None)
    search = GridSearchCV(regressor(), RATES, cv=2, scoring=["r2", "neg_max_error"])
    assert "received True" in refused(search)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"steps_per_epoch": 3}, "`steps_per_epoch=3`: leave it out, or search by `sklearn"),
        ({"initial_epoch": 1}, "`initial_epoch=1`"),
        ({"callbacks": fjax.callbacks.CSVLogger("log.csv")}, "received `CSVLogger`: leave it out"),
        ({"epochs": 0}, "`epochs` must be an integer of at least 1, received 0"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1, received 0"),
        ({"validation_split": 1.5}, "`validation_split` must be a number in [0, 1), received 1.5"),
        ({"validation_split": 0.999}, "leaves 0 to train on and 36 to validate on"),
        ({"validation_data": X}, "must be `(X, y)` or `(X, y, sample_weight)`, received ndarray"),
        ({"sample_weight": [1.0, 2.0]}, "one number for each of the 72 samples"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_arguments_of_a_fit_that_are_none(arguments, what):
    assert what in refused(GridSearchCV(regressor(), RATES, cv=2), **arguments)


def test_an_argument_of_a_fit_that_is_not_known():
    search = GridSearchCV(regressor(), RATES, cv=2)
    assert "Did you mean `epochs`?" in refused(search, error=TypeError, epoch=3)


@pytest.mark.parametrize("estimator", [make_pipeline(regressor()), Ridge()], ids=["steps", "else"])
def test_an_estimator_that_is_none_of_ours(estimator):
    message = refused(GridSearchCV(estimator, {}), error=TypeError)
    assert f"received {type(estimator).__name__}" in message
    assert "`sklearn.model_selection`" in message


def test_a_transformer_that_returns_the_outputs_of_a_layer():
    estimator = fjax.wrappers.SKLearnTransformer(regression, layer="dense")
    search = GridSearchCV(estimator, RATES, cv=2, scoring=lambda *given: 0.0)
    assert "does not follow `layer='dense'`" in refused(search)


def test_labels_of_one_class():
    message = refused(GridSearchCV(classifier(), RATES, cv=2), y=np.repeat("more", len(X)))
    assert "needs samples of 2 classes at least" in message


def test_more_members_than_memory(monkeypatch):
    monkeypatch.setattr("fjax.population.memory._available", lambda: 1000)
    message = refused(GridSearchCV(regressor(), RATES, cv=2), error=MemoryError)
    assert "4 members" in message and "1 KB are free" in message


def steep(learning_rate=0.1):
    """Return a network that a large rate throws far."""
    model = fjax.Sequential([fjax.Input((3,)), fjax.layers.Dense(3), fjax.layers.Dense(1)], seed=0)
    model.compile(fjax.optimizers.SGD(learning_rate), "mse")
    return model


def steep_search(rates, **arguments):
    estimator = fjax.wrappers.SKLearnRegressor(steep, epochs=2, batch_size=16, random_state=0)
    return GridSearchCV(estimator, {"learning_rate": rates}, **{"cv": 2} | arguments)


def test_a_candidate_that_diverges_leaves_the_others_untouched():
    with pytest.warns(FitFailedWarning, match="2 of 6 fits failed: .*first after epoch 1"):
        search = steep_search([0.01, 1e30, 0.1]).fit(X, NUMBERS)
    others = steep_search([0.01, 0.1]).fit(X, NUMBERS)
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores[1]) and search.cv_results_["rank_test_score"][1] == 3
    np.testing.assert_allclose(scores[[0, 2]], others.cv_results_["mean_test_score"], atol=1e-6)
    assert search.best_params_ == others.best_params_


@pytest.mark.parametrize("scoring", [None, ["r2", "neg_max_error"]])
def test_the_score_of_a_candidate_that_diverges(scoring):
    refit = "r2" if scoring else True
    search = steep_search([1e30, 0.1], scoring=scoring, refit=refit, error_score=-7.0)
    with pytest.warns(FitFailedWarning, match=r"scored as -7\.0"):
        search.fit(X, NUMBERS)
    for name in scoring or ["score"]:
        assert search.cv_results_[f"split1_test_{name}"][0] == -7.0


def test_a_candidate_that_diverges_and_a_function_that_names_the_scores():
    def scores(estimator, x, y):
        return {"only": estimator.score(x, y)}

    search = steep_search([1e30, 0.1], scoring=scores, refit="only")
    with pytest.warns(FitFailedWarning):
        search.fit(X, NUMBERS)
    assert np.isnan(search.cv_results_["mean_test_only"][0])
    assert search.best_params_ == {"learning_rate": 0.1}


def test_a_last_step_that_goes_too_far():
    # The loss of the one step is finite; what it makes of the weights is not.
    search = steep_search([1e38, 0.1]).set_params(estimator__batch_size=64, estimator__epochs=1)
    with pytest.warns(FitFailedWarning, match="2 of 4 fits failed"):
        search.fit(X * 10, NUMBERS * 1000)
    assert search.best_params_ == {"learning_rate": 0.1}


def test_a_candidate_that_diverges_is_an_error_if_wished():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = refused(steep_search([1e30, 0.1], error_score="raise"))
    assert message.startswith("`GridSearchCV`: 2 of 4 fits failed")


def test_a_best_candidate_that_diverges_on_all_data():
    # The last row, which no fold has, is beyond what a float32 can square.
    targets = np.append(NUMBERS[:-1], 1e30)
    folds = [(np.arange(40), np.arange(40, 70)), (np.arange(30, 70), np.arange(30))]
    with pytest.warns(FitFailedWarning, match="all data, .* not finite after epoch 1"):
        steep_search([0.01, 0.1], cv=folds).fit(X, targets)


def test_candidates_that_all_diverge():
    message = refused(steep_search([1e30, 1e29]))
    assert "4 of 4 fits failed" in message and "Lower the learning rates." in message


def test_scikit_learn_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"pip install fjax\[sklearn\]"):
        fjax.search.GridSearchCV  # noqa: B018
    with pytest.raises(AttributeError, match="has no `Grid`"):
        fjax.search.Grid  # noqa: B018


def test_a_bar_is_closed_by_an_error(capsys):
    search = RandomizedSearchCV(
        regressor(), RATES, n_iter=2, cv=2, verbose=1, scoring=lambda *given: "bad"
    )
    refused(search)
    printed = capsys.readouterr().err
    assert printed.count("RandomizedSearchCV: 100%") == 1 and printed.endswith("\n")
