"""Estimators in pipelines, ensembles, searches and pickles, and many fits."""

import copy
import pickle
import resource
import subprocess
import sys

import numpy as np
import pandas
import pytest
from sklearn.ensemble import BaggingRegressor, StackingClassifier, VotingClassifier, VotingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fjax
import fjax.wrappers.scikit_learn
from fjax.layers import Dense, Input
from fjax.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

pytestmark = pytest.mark.sampled(3, whole=True)

OPTIONS = {"epochs": 30, "batch_size": 10, "random_state": 0}


def autoencoder(X, y, codes=2):
    model = fjax.Sequential([Input(X.shape[1:]), Dense(codes, name="codes"), Dense(y.shape[1])])
    model.compile(fjax.optimizers.Adam(0.05), "mse")
    return model


def test_older_names_are_the_same_classes():
    assert fjax.wrappers.KerasClassifier is SKLearnClassifier
    assert fjax.wrappers.scikit_learn.KerasRegressor is SKLearnRegressor
    with pytest.raises(AttributeError, match=r"has no `KerasRegresor`. It has: KerasClassifier"):
        _ = fjax.wrappers.KerasRegresor


def test_without_scikit_learn():
    program = """
import sys
sys.modules["sklearn"] = None
import fjax
try:
    fjax.wrappers.SKLearnRegressor
except ImportError as error:
    print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=120, capture_output=True, text=True
    )
    assert "`fjax.wrappers.SKLearnRegressor` needs scikit-learn" in ran.stdout
    assert "fjax[sklearn]" in ran.stdout


@pytest.mark.short
def test_data_frames_in_a_pipeline(build, line):
    x, y = line
    frame = pandas.DataFrame(x * 100, columns=["width", "height"])
    pipe = make_pipeline(StandardScaler(), SKLearnRegressor(build, **OPTIONS))
    pipe.fit(frame, pandas.Series(y), sklearnregressor__epochs=20)
    assert pipe.score(frame, y) > 0.95 and pipe[-1].n_iter_ == 20
    pipe.set_params(sklearnregressor__n_hidden=1)
    alone = SKLearnRegressor(build, **OPTIONS).fit(frame / 100, y)
    assert alone.feature_names_in_.tolist() == ["width", "height"]
    with pytest.raises(ValueError, match="feature names"):
        alone.predict(frame[["height", "width"]])


def test_ensembles(build, line, groups, build_softmax):
    regressor = SKLearnRegressor(build, **OPTIONS)
    assert min(cross_val_score(regressor, *line, cv=2)) > 0.95
    voting = VotingRegressor([("line", LinearRegression()), ("network", regressor)])
    assert voting.fit(*line).score(*line) > 0.95
    assert BaggingRegressor(regressor, n_estimators=2).fit(*line).score(*line) > 0.9
    classifier = SKLearnClassifier(build_softmax, **OPTIONS)
    voters = [("logistic", LogisticRegression()), ("network", classifier)]
    assert VotingClassifier(voters, voting="soft").fit(*groups).score(*groups) > 0.95
    assert StackingClassifier(voters, cv=2).fit(*groups).score(*groups) > 0.95


def test_searches_in_several_processes(build, line):
    grid = {"learning_rate": [1e-4, 0.1]}
    search = GridSearchCV(SKLearnRegressor(build, **OPTIONS), grid, cv=2, n_jobs=2)
    assert search.fit(*line).best_params_ == {"learning_rate": 0.1}


def test_targets_with_one_and_two_axes(line):
    x, _ = line
    for y in (x[:, 0], x[:, :1], x):
        fitted = SKLearnRegressor(autoencoder, **OPTIONS).fit(x, y)
        assert fitted.predict(x).shape == y.shape and fitted.predict(x).dtype == float
        assert fitted.score(x, y) > 0.9


def test_samples_with_several_axes():
    images = np.random.default_rng(0).normal(size=(24, 3, 3))
    model = fjax.Sequential([Input((3, 3)), fjax.layers.Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    fitted = SKLearnRegressor(model, epochs=30, batch_size=8).fit(images, images[:, 0, 0])
    assert fitted.predict(images[:2]).shape == (2,)


@pytest.mark.short
def test_a_transformer_returns_features(line, groups):
    x, _ = line
    x = np.hstack([x, x @ [[1.0], [2.0]]])
    transformer = SKLearnTransformer(autoencoder, layer="codes", **OPTIONS).fit(x)
    codes = transformer.transform(x)
    assert codes.shape == (40, 2) and codes.dtype == np.float32
    names = ["sklearntransformer0", "sklearntransformer1"]
    assert transformer.get_feature_names_out().tolist() == names
    frame = transformer.set_output(transform="pandas").transform(x)
    assert list(frame.columns) == names
    whole = SKLearnTransformer(autoencoder, **OPTIONS).fit(x)
    assert whole.transform(x).shape == (40, 3) and whole.history_["loss"][-1] < 0.1


def test_a_transformer_can_ignore_the_targets_of_a_pipeline(line):
    x, y = line
    codes = SKLearnTransformer(autoencoder, layer="codes", reconstruct=True, **OPTIONS)
    pipe = make_pipeline(codes, LinearRegression())
    assert pipe.fit(x, y).score(x, y) > 0.99
    alone = SKLearnTransformer(autoencoder, layer="codes", **OPTIONS).fit(x)
    assert (pipe[0].transform(x) == alone.transform(x)).all()


@pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "c"]])
def test_a_transformer_trains_on_labels(labels, groups):
    x, y = groups
    model = fjax.Sequential([Input((2,)), Dense(2, name="codes"), Dense(3, "softmax")])
    model.compile(fjax.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
    y = np.array(labels)[y]
    options = {"layer": "codes", **OPTIONS}
    fitted = SKLearnTransformer(model, **options).fit(x, y, validation_data=(x[:20], y[:20]))
    assert fitted.history_["val_loss"][-1] < 0.5 and fitted.partial_fit(x, y).n_iter_ == 31


def test_a_prediction_does_not_depend_on_the_other_rows(build, line):
    x = np.random.default_rng(0).normal(size=(100, 2))
    fitted = SKLearnRegressor(build, n_hidden=1, n_neurons=16, **OPTIONS).fit(*line)
    whole = fitted.predict(x)
    for size in (1, 7, 33):
        parts = [fitted.predict(x[i : i + size]) for i in range(0, 100, size)]
        assert (np.concatenate(parts) == whole).all()


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda fitted: pickle.loads(pickle.dumps(fitted))]
)
def test_copies_of_fitted_estimators(duplicate, groups, build_softmax):
    fitted = SKLearnClassifier(build_softmax, warm_start=True, **OPTIONS).fit(*groups)
    twin = duplicate(fitted)
    before = fitted.predict_proba(groups[0])
    assert (twin.predict_proba(groups[0]) == before).all()
    twin.fit(*groups)
    assert (fitted.predict_proba(groups[0]) == before).all()
    assert twin.history_ == fitted.fit(*groups).history_


@pytest.mark.short
def test_an_architecture_compiles_once(build, line, compilations):
    def fit(rate):
        for model in (build, build()):
            fitted = SKLearnRegressor(model, epochs=2, random_state=0).set_params()
            fitted.fit(*line, validation_data=line).predict(line[0])
        SKLearnRegressor(build, learning_rate=rate).fit(*line, validation_data=line)

    fit(0.1)
    compilations.clear()
    fit(0.2)
    assert compilations == []


def test_the_model_of_an_estimator_does_not_change(build, line):
    model = build()
    before = model.get_weights()
    fitted = SKLearnRegressor(model, epochs=2).fit(*line)
    assert fitted.model is model and fitted.model_ is not model
    assert all(map(np.array_equal, model.get_weights(), before))
    assert int(model.train_state.step) == 0


def test_many_fits_use_constant_memory(build, line):
    def peak_megabytes():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10

    regressor = SKLearnRegressor(build, epochs=2, validation_split=0.2, random_state=0)
    for _ in range(10):
        regressor.fit(*line).predict(line[0])
    before = peak_megabytes()
    for _ in range(100):
        regressor.fit(*line).predict(line[0])
    assert peak_megabytes() - before < 10
