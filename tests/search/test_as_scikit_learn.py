"""Searches equal those of scikit-learn over the same estimator: candidates, folds, scores, best.

Each test runs a search twice, as one program and fit by fit.
"""

import copy

import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform
from sklearn.metrics import accuracy_score, make_scorer, mean_absolute_error
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit

import fjax
from tests.search.networks import (
    GROUPS,
    LABELS,
    ROWS,
    TARGETS,
    WEIGHTS,
    X,
    check_best,
    check_equal,
    classification,
    classifier,
    regressor,
    search_both,
)

pytestmark = pytest.mark.sampled(3, whole=True)

GRID = {"learning_rate": [0.01, 0.1]}


def test_a_random_search_over_all_hyperparameters():
    distributions = {
        "n_hidden": [0, 1],
        "n_neurons": [2, 5],
        "learning_rate": loguniform(1e-3, 1e-1),
        "dropout": [0.2, 0.5],
        "l2": [1e-3, 1e-2],
        "beta_1": [0.8, 0.9],
    }
    ours, theirs = search_both(
        regressor(), distributions, TARGETS, draws=5, cv=3, return_train_score=True
    )
    check_equal(ours, theirs)
    check_best(ours, theirs)
    assert ours.score(X, TARGETS) == pytest.approx(theirs.score(X, TARGETS), abs=1e-5)
    assert str(ours.scorer_) == str(theirs.scorer_)


def test_string_labels_and_several_scorers():
    scoring = ["accuracy", "roc_auc", "neg_log_loss"]
    ours, theirs = search_both(
        classifier(), GRID, LABELS, cv=2,
        scoring=scoring, refit="neg_log_loss", return_train_score=True,
    )  # fmt: skip
    check_equal(ours, theirs)
    check_best(ours, theirs)
    assert ours.classes_.tolist() == ["less", "more"]
    assert ours.scorer_.keys() == theirs.scorer_.keys()
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    assert ours.score(X, LABELS) == pytest.approx(theirs.score(X, LABELS), abs=1e-5)


def two_scores(estimator, x, y):
    predicted = estimator.predict(x)
    return {"error": -mean_absolute_error(y, predicted), "largest": -abs(y - predicted).max()}


def lowest_error(results):
    return int(results["mean_test_error"].argmax())


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"scoring": "neg_mean_absolute_error"},
        {"scoring": lambda estimator, x, y: estimator.score(x, y) - 1.0},
        {"scoring": {"error": "neg_max_error", "fit": "r2"}, "refit": "fit"},
        {"scoring": two_scores, "refit": "largest"},
        {"scoring": two_scores, "refit": lowest_error},
        {"scoring": ("r2", "neg_max_error"), "refit": False},
        {"refit": False},
        {"refit": lambda results: 1},
        {"scoring": make_scorer(mean_absolute_error, greater_is_better=False), "cv": 2},
        {"cv": ShuffleSplit(2, test_size=0.3, random_state=1)},
        {"cv": KFold(3, shuffle=True, random_state=5)},
        {"cv": [(np.arange(40), np.arange(40, ROWS)), (np.arange(30, ROWS), np.arange(30))]},
    ],
    ids=lambda arguments: (
        ", ".join(
            f"{k}={v if isinstance(v, str | int) else type(v).__name__}"
            for k, v in arguments.items()
        )
        or "plain"
    ),
)
def test_scorers_best_candidates_and_folds(arguments):
    ours, theirs = search_both(regressor(), GRID, TARGETS, **({"cv": 2} | arguments))
    check_equal(ours, theirs)
    if arguments.get("refit") is not False:
        check_best(ours, theirs)


def test_groups_are_not_split():
    ours, theirs = search_both(
        regressor(), GRID, TARGETS, cv=GroupKFold(3),
        fit={"groups": GROUPS},
    )  # fmt: skip
    check_equal(ours, theirs)


def test_several_grids_and_arguments_of_a_fit():
    grids = [
        {"epochs": [1, 3], "learning_rate": [0.1]},
        {"batch_size": [8]},
        {"model__learning_rate": [0.25], "shuffle": [False]},
    ]
    ours, theirs = search_both(regressor(), grids, TARGETS, cv=2)
    check_equal(ours, theirs)
    check_best(ours, theirs)


@pytest.mark.parametrize(
    "parameters",
    [
        {"metrics": [("mae",), ()]},
        {"random_state": [0, 1, None]},
        {"model_kwargs": [None, {"n_hidden": 2}]},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
def test_parameters_that_are_not_numbers(parameters):
    ours, theirs = search_both(regressor(), parameters, TARGETS, cv=2)
    check_equal(ours, theirs)
    check_best(ours, theirs)


@pytest.mark.parametrize(
    ("weights", "share"), [(WEIGHTS, 0.0), (np.maximum(WEIGHTS, 0.5), 0.25)], ids=["zeros", "share"]
)
def test_row_weights(weights, share):
    # They count in the scores, too, if the installed scikit-learn does so.
    ours, theirs = search_both(
        regressor(validation_split=share), GRID, TARGETS, cv=2,
        fit={"sample_weight": weights},
    )  # fmt: skip
    check_equal(ours, theirs)
    check_best(ours, theirs)


@pytest.mark.parametrize(
    ("class_weight", "weights"),
    [({"less": 3.0}, None), ("balanced", WEIGHTS)],
    ids=["dict", "both"],
)
def test_class_weights(class_weight, weights):
    ours, theirs = search_both(
        classifier(class_weight=class_weight), GRID, LABELS, cv=2,
        fit={"sample_weight": weights},
    )  # fmt: skip
    check_equal(ours, theirs)
    check_best(ours, theirs)


def test_named_columns():
    table, target = pd.DataFrame(X, columns=["a", "b", "c"]), pd.Series(TARGETS, name="y")
    ours, theirs = search_both(regressor(), GRID, target, x=table, cv=2)
    check_equal(ours, theirs)
    assert ours.feature_names_in_.tolist() == ["a", "b", "c"]
    assert ours.n_features_in_ == theirs.n_features_in_ == 3
    np.testing.assert_allclose(ours.predict(table), theirs.predict(table), atol=1e-5)


@pytest.mark.parametrize("passed_to", ["estimator", pytest.param("fit", marks=pytest.mark.slow)])
def test_validation_data(passed_to):
    held_out = {"validation_data": (X[:20], TARGETS[:20], WEIGHTS[:20])}
    estimator = regressor(**(held_out if passed_to == "estimator" else {}))
    ours, theirs = search_both(
        estimator, GRID, TARGETS, cv=2, fit=held_out if passed_to == "fit" else None
    )
    check_equal(ours, theirs)
    one, other = ours.best_estimator_, theirs.best_estimator_
    np.testing.assert_allclose(one.history_["val_loss"], other.history_["val_loss"], rtol=1e-5)


@pytest.mark.slow
def test_metrics_are_logged():
    ours, theirs = search_both(
        classifier(metrics=("accuracy",), validation_split=0.25), GRID, LABELS, cv=2
    )
    check_best(ours, theirs)
    assert list(ours.histories_[0][0]) == list(theirs.best_estimator_.history_)


@pytest.mark.parametrize(
    "callback",
    [
        fjax.callbacks.EarlyStopping(patience=1, min_delta=0.02, restore_best_weights=True),
        fjax.callbacks.EarlyStopping("loss", patience=0, min_delta=0.05),
        fjax.callbacks.ReduceLROnPlateau(patience=1, min_delta=0.05, factor=0.3),
        fjax.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_callbacks_apply_to_each_member(callback):
    estimator = regressor(callbacks=[callback], epochs=8, validation_split=0.25)
    parameters = {"learning_rate": [1e-4, 0.03, 0.3]}
    folds = list(KFold(2).split(X))
    ours, theirs = search_both(estimator, parameters, TARGETS, cv=folds)
    check_equal(ours, theirs)
    best, expected = ours.best_estimator_, theirs.best_estimator_
    np.testing.assert_allclose(best.predict(X), expected.predict(X), atol=1e-5)
    lengths = set()
    for own, histories in zip(ours.cv_results_["params"], ours.histories_, strict=True):
        alone = copy.copy(estimator).set_params(**own)
        for (train, _), history in zip(folds, histories, strict=True):
            other = alone.fit(X[train], TARGETS[train]).history_
            np.testing.assert_allclose(history["val_loss"], other["val_loss"], rtol=1e-5)
            lengths.add(len(history["loss"]))
    stops = isinstance(callback, fjax.callbacks.EarlyStopping)
    assert (len(lengths) > 1) == stops


def test_a_fold_that_fits_in_one_batch():
    # The estimators sort such rows.
    estimator = regressor(batch_size=64, dropout=0.5)
    ours, theirs = search_both(estimator, GRID, TARGETS, cv=2)
    check_equal(ours, theirs)


def test_a_model_instead_of_a_function():
    estimator = fjax.wrappers.SKLearnClassifier(classification(), epochs=2, random_state=1)
    ours, theirs = search_both(estimator, {"batch_size": [8, 16]}, LABELS, cv=2)
    check_equal(ours, theirs)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)


def features(X, y, codes=2):
    layers = [fjax.layers.Dense(codes, name="codes"), fjax.layers.Dense(X.shape[1])]
    model = fjax.Sequential([fjax.Input(X.shape[1:]), *layers])
    model.compile("adam", "mse")
    return model


def distance(estimator, x, y=None):
    return -float(np.square(estimator.transform(x)).mean())


def test_a_transformer():
    estimator = fjax.wrappers.SKLearnTransformer(features, random_state=0)
    ours, theirs = search_both(estimator, {"codes": [1, 2]}, None, cv=2, scoring=distance)
    check_equal(ours, theirs)
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), atol=1e-5)


@pytest.mark.slow
def test_several_outputs():
    def two(learning_rate=0.01):
        model = fjax.Sequential([fjax.Input((3,)), fjax.layers.Dense(2)])
        model.compile(fjax.optimizers.Adam(learning_rate), "mse")
        return model

    estimator = fjax.wrappers.SKLearnRegressor(two, epochs=2, random_state=0)
    targets = np.stack([TARGETS, -TARGETS], axis=1)
    ours, theirs = search_both(estimator, GRID, targets, cv=2)
    check_equal(ours, theirs)
    check_best(ours, theirs)


def test_labels_scored_by_a_function_of_labels():
    def accuracy(estimator, x, y):
        return accuracy_score(y, estimator.predict(x))

    ours, theirs = search_both(classifier(), GRID, LABELS, cv=2, scoring=accuracy)
    check_equal(ours, theirs)
