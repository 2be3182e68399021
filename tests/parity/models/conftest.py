"""Run one program with Keras and with fjax, on real data."""

from typing import Any, NamedTuple

import jax
import keras
import numpy as np
import pytest

import fjax


class Run(NamedTuple):
    """What the tests compare of a training run."""

    first: Any
    history: dict
    listed: Any
    named: dict
    last: Any
    weights: list


def build_both(build, *arguments):
    """Return the models that a function builds with fjax and with Keras, with equal weights."""
    keras.utils.clear_session()
    theirs = build(keras, *arguments)
    ours = build(fjax, *arguments)
    same_weights(ours, theirs)
    return ours, theirs


def same_weights(ours, theirs):
    """Set both to the same random weights; the order of the weights must be equal."""
    shapes = [weight.shape for weight in theirs.get_weights()]
    assert [weight.shape for weight in ours.get_weights()] == shapes
    random = np.random.default_rng(0)
    weights = [weight + random.uniform(0, 0.05, weight.shape) for weight in theirs.get_weights()]
    for model in (ours, theirs):
        model.set_weights(weights)


def run(model, x, y, *, epochs=3, measured=None, **fit):
    """Train a compiled model on three quarters of the data, and validate on the last quarter."""
    rows = len(jax.tree.leaves(x)[0]) * 3 // 4
    train = jax.tree.map(lambda a: a[:rows], (x, y))
    valid = jax.tree.map(lambda a: a[rows:], (x, y))
    first = model.predict(valid[0], verbose=0)
    history = model.fit(
        *train, epochs=epochs, shuffle=False, verbose=0, validation_data=valid, **fit
    )
    return Run(
        first,
        history.history,
        model.evaluate(*valid, verbose=0),
        model.evaluate(*valid, verbose=0, return_dict=True),
        model.predict(valid[0], verbose=0),
        model.get_weights(),
    )


def same_outputs(ours, theirs, rtol=1e-5, atol=1e-5):
    """Assert equal structure of numpy arrays, and equal numbers."""
    assert type(ours) is type(theirs)
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


def same_logs(ours, theirs, rtol=1e-4):
    """Assert equal names in equal order, and equal numbers."""
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=rtol, atol=1e-6, err_msg=name)


def same_runs(ours, theirs, rtol=1e-4):
    """Assert that two runs are equal."""
    same_outputs(ours.first, theirs.first)
    same_logs(ours.history, theirs.history, rtol)
    same_logs(ours.named, theirs.named, rtol)
    assert type(ours.listed) is type(theirs.listed)
    np.testing.assert_allclose(ours.listed, theirs.listed, rtol=rtol, atol=1e-6)
    same_outputs(ours.last, theirs.last, 10 * rtol, 10 * rtol)
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=10 * rtol, atol=rtol)


class Judge:
    """The helpers above as one fixture."""

    build_both = staticmethod(build_both)
    run = staticmethod(run)
    same_logs = staticmethod(same_logs)
    same_outputs = staticmethod(same_outputs)
    same_runs = staticmethod(same_runs)
    same_weights = staticmethod(same_weights)

    def compare(self, build, compile_model, x, y, *, rtol=1e-4, **fit):
        """Build, compile and train with both libraries; return both models."""
        models = self.build_both(build)
        runs = []
        for library, model in zip((fjax, keras), models, strict=True):
            compile_model(library, model)
            runs.append(self.run(model, x, y, **fit))
        self.same_runs(*runs, rtol)
        return models


@pytest.fixture(autouse=True)
def seed_weights():
    # A unit near the kink of its activation may develop differently after a rounding error.
    fjax.utils.set_random_seed(1)


@pytest.fixture(scope="session")
def judge():
    return Judge()


def loaded(module):
    try:
        return module.load_data()[0]
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def california():
    """768 districts: eight standardized features, and prices in 100,000 dollars."""
    x, y = loaded(fjax.datasets.california_housing)
    known = ~np.isnan(x).any(axis=1)
    x, y = x[known][:768], y[known][:768, None] / 1e5
    return ((x - x.mean(0)) / x.std(0)).astype("float32"), y.astype("float32")


@pytest.fixture(scope="session")
def fashion():
    x, y = loaded(fjax.datasets.fashion_mnist)
    return (x[:768] / 255).astype("float32"), y[:768].astype("int32")


@pytest.fixture(scope="session")
def mnist():
    x, y = loaded(fjax.datasets.mnist)
    return (x[:512] / 255).astype("float32"), y[:512].astype("int32")


@pytest.fixture(scope="session")
def digits():
    (x, y), _ = fjax.datasets.digits.load_data()
    return (x[:512] / 16).astype("float32"), y[:512].astype("int32")
