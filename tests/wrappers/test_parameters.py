"""Parameters of the estimator, of the function that builds the model, and of `fit`."""

import functools

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import fjax
from fjax.callbacks import Callback, EarlyStopping
from fjax.wrappers import SKLearnClassifier, SKLearnRegressor


def test_arguments_of_the_function_are_parameters(build):
    regressor = SKLearnRegressor(build, n_hidden=1)
    parameters = regressor.get_params()
    assert parameters["n_hidden"] == 1 and parameters["n_neurons"] == 4
    assert parameters["epochs"] == 1 and parameters["model"] is build
    assert regressor.set_params(n_neurons=7, epochs=3) is regressor
    twin = clone(regressor)
    assert twin.get_params() == regressor.get_params()
    assert twin.get_params()["n_neurons"] == 7
    assert "n_neurons=7" in repr(regressor)


def test_three_spellings_build_the_same_model(build, line):
    spellings = [{"n_hidden": 2}, {"model__n_hidden": 2}, {"model_kwargs": {"n_hidden": 2}}]
    for spelling in spellings:
        first = SKLearnRegressor(build, **spelling).fit(*line)
        assert len(first.model_.layers) == 3
        later = clone(SKLearnRegressor(build)).set_params(**spelling).fit(*line)
        assert len(later.model_.layers) == 3
        assert len(clone(later).fit(*line).model_.layers) == 3


def test_the_last_value_that_is_set_wins(build, line):
    regressor = SKLearnRegressor(build, n_hidden=3).set_params(model_kwargs={"n_hidden": 1})
    assert "n_hidden" not in regressor.get_params()
    assert len(regressor.fit(*line).model_.layers) == 2
    assert len(regressor.set_params(n_hidden=2).fit(*line).model_.layers) == 3


def test_an_unknown_parameter_raises_with_a_suggestion(build, line):
    message = r"'n_hiden' of `SKLearnRegressor`: `regression` has no .* Did you mean `n_hidden`"
    regressor = SKLearnRegressor(build)
    with pytest.raises(ValueError, match=message):
        regressor.set_params(n_hiden=2, epochs=9)
    assert regressor.epochs == 1
    with pytest.raises(ValueError, match=message):
        SKLearnRegressor(build, n_hiden=2).fit(*line)
    with pytest.raises(ValueError, match=r"'epoch'.*Did you mean `epochs`"):
        regressor.set_params(epoch=2)
    with pytest.raises(TypeError, match="`n_hidden` is given twice"):
        SKLearnRegressor(build, n_hidden=1, model__n_hidden=1)


def test_a_model_takes_no_arguments(build, line):
    for regressor in (SKLearnRegressor(build(), n_hidden=1), SKLearnRegressor(build())):
        with pytest.raises(ValueError, match="is a model and takes no arguments"):
            regressor.set_params(n_hidden=1)
    with pytest.raises(ValueError, match="is a model and takes no arguments"):
        SKLearnRegressor(build(), n_hidden=1).fit(*line)


def test_required_and_shared_arguments_of_a_function(build, line):
    def needs(units, **options):
        return build(**options)

    with pytest.raises(ValueError, match=r"`needs` needs `units`.*SKLearnRegressor\(needs, units="):
        SKLearnRegressor(needs).fit(*line)
    assert len(SKLearnRegressor(needs, units=1, n_hidden=1).fit(*line).model_.layers) == 2

    def clashes(epochs=3):
        return build()

    with pytest.raises(
        ValueError, match="`clashes` has the argument `epochs`, which is a parameter of"
    ):
        SKLearnRegressor(clashes).fit(*line)


def test_a_partial_function(build, line):
    fitted = SKLearnRegressor(functools.partial(build, n_hidden=1)).fit(*line)
    assert len(fitted.model_.layers) == 2


def test_a_function_with_data_and_facts(groups):
    seen = {}

    def build(X, y, meta, units=3):
        seen.update(X=X.shape, y=y, **meta)
        model = fjax.Sequential([fjax.layers.Dense(units, "softmax")])
        model.compile("sgd", "categorical_crossentropy")
        return model

    x, y = groups
    SKLearnClassifier(build).fit(x, np.array(["a", "b", "c"])[y])
    assert seen["X"] == seen["X_shape_"] == (60, 2) and seen["y"].sum(axis=0).tolist() == [20] * 3
    assert (seen["n_features_in_"], seen["n_outputs_"], seen["n_classes_"]) == (2, 3, 3)
    assert seen["classes_"].tolist() == ["a", "b", "c"]


def test_arguments_of_fit(build, line):
    regressor = SKLearnRegressor(build, epochs=2, fit_kwargs={"validation_freq": 2})
    fitted = regressor.fit(*line, epochs=4, validation_data=line)
    assert fitted.n_iter_ == 4 and len(fitted.history_["loss"]) == 4
    assert len(fitted.history_["val_loss"]) == 2
    assert regressor.fit(*line).n_iter_ == 2
    with pytest.raises(TypeError, match=r"takes no argument `epoch`. Did you mean `epochs`"):
        regressor.fit(*line, epoch=3)
    with pytest.raises(TypeError, match="`SKLearnRegressor` has no classes"):
        regressor.fit(*line, class_weight={0: 1})
    for wrong in ({"fit_kwargs": [1]}, {"model_kwargs": 3}):
        with pytest.raises(TypeError, match=f"`{next(iter(wrong))}` must be a dict"):
            SKLearnRegressor(build, **wrong).fit(*line)


def test_a_split_validates_on_the_last_rows(build, line):
    x, y = line
    options = {"random_state": 0, "batch_size": 8, "epochs": 2}
    split = SKLearnRegressor(build, validation_split=0.25, **options).fit(x, y)
    given = SKLearnRegressor(build, **options).fit(
        x[:30], y[:30], validation_data=(x[30:], y[30:], np.full(10, 2.0))
    )
    assert split.history_ == given.history_


def test_callbacks_are_copied_for_each_fit(build, line):
    class Counts(Callback):
        def __init__(self):
            super().__init__()
            self.epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1

    counts, stop = Counts(), EarlyStopping("loss", min_delta=100.0, patience=1)
    regressor = SKLearnRegressor(build, epochs=9, callbacks=[counts, stop])
    assert regressor.fit(*line).n_iter_ == regressor.fit(*line).n_iter_ == 2
    assert counts.epochs == 0 and counts.model is None

    counts.generator = (number for number in [1])
    with pytest.raises(TypeError, match=r"each fit has copies of the `callbacks`.*generator"):
        regressor.fit(*line)


def test_the_random_state_is_the_seed(build, line):
    def outcome(state, model=build):
        return SKLearnRegressor(model, random_state=state, epochs=2, batch_size=8).fit(*line)

    one, same, other = (outcome(state).predict(line[0]) for state in (0, 0, 1))
    assert (one == same).all() and (one != other).any()
    assert (outcome(0, build()).predict(line[0]) == one).all()
    drawn = [outcome(np.random.RandomState(5)).predict(line[0]) for _ in range(2)]
    assert (drawn[0] == drawn[1]).all()
    with pytest.raises(ValueError, match="seed"):
        outcome(-1)

    seeded = fjax.Sequential([fjax.layers.Dense(1)], seed=3)
    seeded.compile("sgd", "mse")
    own = [outcome(None, seeded).predict(line[0]) for _ in range(2)]
    assert (own[0] == own[1]).all() and not seeded.built


def test_fits_continue_with_a_warm_start(build, line):
    cold = SKLearnRegressor(build, random_state=0, epochs=4).fit(*line)
    warm = SKLearnRegressor(build, random_state=0, epochs=2, warm_start=True).fit(*line)
    model = warm.model_
    warm.fit(*line)
    assert warm.model_ is model and warm.n_iter_ == 4 and warm.history_ == cold.history_
    parts = SKLearnRegressor(build, random_state=0)
    for _ in range(4):
        parts.partial_fit(*line)
    assert parts.n_iter_ == 4
    assert (parts.predict(line[0]) == cold.predict(line[0])).all()


def test_a_search_of_parameters(build, line):
    grid = {"n_hidden": [0, 1], "model__learning_rate": [0.001, 0.1]}
    search = GridSearchCV(SKLearnRegressor(build, epochs=20, random_state=0), grid, cv=2)
    search.fit(*line, callbacks=[EarlyStopping("loss")])
    assert search.best_params_["model__learning_rate"] == 0.1 and search.best_score_ > 0.5
