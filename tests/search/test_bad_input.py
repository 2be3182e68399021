"""Searches that cannot run raise one clear error, as early as possible."""

import sys
import warnings

import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

import fjax
from fjax.search import GridSearchCV, RandomizedSearchCV
from tests.search.networks import TARGETS, X, classifier, regression, regressor

RATES = {"learning_rate": [0.01, 0.1]}


def error_of(search, *, y=TARGETS, error=ValueError, **fit):
    """Return the message of the error that a search raises."""
    with pytest.raises(error) as raised:
        search.fit(X, y, **fit)
    return str(raised.value)


def test_an_unknown_parameter_of_the_function():
    message = error_of(GridSearchCV(regressor(), {"n_neuron": [2]}, cv=2))
    assert "n_neuron" in message and "Did you mean `n_neurons`?" in message


def returns_none(learning_rate=0.1):
    return None


def not_compiled(learning_rate=0.1):
    return fjax.Sequential([fjax.Input((3,)), fjax.layers.Dense(1)])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (returns_none, "a compiled `fjax.Model`, it returned None"),
        (not_compiled, "a model that is not compiled"),
    ],
)
def test_a_function_that_does_not_return_a_compiled_model(build, message):
    estimator = fjax.wrappers.SKLearnRegressor(build)
    assert message in error_of(GridSearchCV(estimator, RATES, cv=2), error=TypeError)


def custom_step(learning_rate=0.1):
    model = regression(learning_rate=learning_rate)
    model.compile("sgd", "mse", train_step=lambda state, batch: (state, {}))
    return model


def test_a_custom_train_step():
    estimator = fjax.wrappers.SKLearnRegressor(custom_step)
    message = error_of(GridSearchCV(estimator, RATES, cv=2), error=TypeError)
    assert "`GridSearchCV`" in message and "`train_step`" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
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
def test_invalid_arguments(arguments, message):
    assert message in error_of(GridSearchCV(regressor(), RATES, **arguments))


def test_several_scorers_without_a_choice_raise_before_training(monkeypatch):
    monkeypatch.setattr("fjax.search.base.group_candidates", None)
    search = GridSearchCV(regressor(), RATES, cv=2, scoring=["r2", "neg_max_error"])
    assert "received True" in error_of(search)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps_per_epoch": 3}, "`steps_per_epoch=3`: leave it out, or search with `sklearn"),
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
def test_invalid_arguments_of_a_fit(arguments, message):
    assert message in error_of(GridSearchCV(regressor(), RATES, cv=2), **arguments)


def test_class_weight_of_a_regressor():
    search = GridSearchCV(regressor(), RATES, cv=2)
    assert "has no classes: leave out `class_weight`" in error_of(
        search, error=TypeError, class_weight={0: 2.0}
    )


def test_a_warning_points_at_the_line_of_the_user():
    with pytest.warns(FitFailedWarning) as record:
        steep_search([1e30, 0.1]).fit(X, TARGETS)
    assert {warning.filename for warning in record} == {__file__}


def test_an_unknown_argument_of_a_fit():
    search = GridSearchCV(regressor(), RATES, cv=2)
    assert "Did you mean `epochs`?" in error_of(search, error=TypeError, epoch=3)


@pytest.mark.parametrize(
    "estimator", [make_pipeline(regressor()), Ridge()], ids=["pipeline", "ridge"]
)
def test_an_estimator_of_another_package(estimator):
    message = error_of(GridSearchCV(estimator, {}), error=TypeError)
    assert f"received {type(estimator).__name__}" in message
    assert "`sklearn.model_selection`" in message


def test_a_transformer_that_returns_the_outputs_of_a_layer():
    estimator = fjax.wrappers.SKLearnTransformer(regression, layer="dense")
    search = GridSearchCV(estimator, RATES, cv=2, scoring=lambda *args: 0.0)
    assert "does not support `layer='dense'`" in error_of(search)


def test_labels_of_one_class():
    message = error_of(GridSearchCV(classifier(), RATES, cv=2), y=np.repeat("more", len(X)))
    assert "needs samples of at least 2 classes" in message


def test_more_members_than_fit_in_memory(monkeypatch):
    monkeypatch.setattr("fjax.training.placement.Placement.free_memory", lambda self: 1000)
    message = error_of(GridSearchCV(regressor(), RATES, cv=2), error=MemoryError)
    assert "4 members" in message and "1 KB are free" in message


def steep(learning_rate=0.1):
    """Return a network that diverges at a large learning rate."""
    model = fjax.Sequential([fjax.Input((3,)), fjax.layers.Dense(3), fjax.layers.Dense(1)], seed=0)
    model.compile(fjax.optimizers.SGD(learning_rate), "mse")
    return model


def steep_search(rates, **arguments):
    estimator = fjax.wrappers.SKLearnRegressor(steep, epochs=2, batch_size=16, random_state=0)
    return GridSearchCV(estimator, {"learning_rate": rates}, **{"cv": 2} | arguments)


def test_a_candidate_that_diverges_does_not_affect_the_others():
    with pytest.warns(FitFailedWarning, match="2 of 6 fits failed: .*first after epoch 1"):
        search = steep_search([0.01, 1e30, 0.1]).fit(X, TARGETS)
    others = steep_search([0.01, 0.1]).fit(X, TARGETS)
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores[1]) and search.cv_results_["rank_test_score"][1] == 3
    np.testing.assert_allclose(scores[[0, 2]], others.cv_results_["mean_test_score"], atol=1e-6)
    assert search.best_params_ == others.best_params_


@pytest.mark.parametrize("scoring", [None, ["r2", "neg_max_error"]])
def test_the_score_of_a_candidate_that_diverges(scoring):
    refit = "r2" if scoring else True
    search = steep_search([1e30, 0.1], scoring=scoring, refit=refit, error_score=-7.0)
    with pytest.warns(FitFailedWarning, match=r"scored as -7\.0"):
        search.fit(X, TARGETS)
    for name in scoring or ["score"]:
        assert search.cv_results_[f"split1_test_{name}"][0] == -7.0


def test_a_candidate_that_diverges_and_a_function_that_names_the_scores():
    def scores(estimator, x, y):
        return {"only": estimator.score(x, y)}

    search = steep_search([1e30, 0.1], scoring=scores, refit="only")
    with pytest.warns(FitFailedWarning):
        search.fit(X, TARGETS)
    assert np.isnan(search.cv_results_["mean_test_only"][0])
    assert search.best_params_ == {"learning_rate": 0.1}


def test_a_last_step_that_diverges():
    # The loss of the only step is finite; the weights after it are not.
    search = steep_search([1e38, 0.1]).set_params(estimator__batch_size=64, estimator__epochs=1)
    with pytest.warns(FitFailedWarning, match="2 of 4 fits failed"):
        search.fit(X * 10, TARGETS * 1000)
    assert search.best_params_ == {"learning_rate": 0.1}


def test_a_candidate_that_diverges_can_raise():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = error_of(steep_search([1e30, 0.1], error_score="raise"))
    assert message.startswith("`GridSearchCV`: 2 of 4 fits failed")


def test_a_best_candidate_that_diverges_on_all_data():
    # The square of the last target, which is in no fold, is beyond float32.
    targets = np.append(TARGETS[:-1], 1e30)
    folds = [(np.arange(40), np.arange(40, 70)), (np.arange(30, 70), np.arange(30))]
    with pytest.warns(FitFailedWarning, match="all data, .* not finite after epoch 1"):
        steep_search([0.01, 0.1], cv=folds).fit(X, targets)


def test_candidates_that_all_diverge():
    message = error_of(steep_search([1e30, 1e29]))
    assert "4 of 4 fits failed" in message and "Lower the learning rates." in message


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"pip install fjax\[sklearn\]"):
        fjax.search.GridSearchCV  # noqa: B018
    with pytest.raises(AttributeError, match="has no `Grid`"):
        fjax.search.Grid  # noqa: B018


def test_an_error_closes_the_progress_bar(capsys):
    search = RandomizedSearchCV(
        regressor(), RATES, n_iter=2, cv=2, verbose=1, scoring=lambda *args: "bad"
    )
    error_of(search)
    printed = capsys.readouterr().err
    assert "RandomizedSearchCV: 100%" in printed and printed.endswith("\n")
