"""find_learning_rate and its result."""

import jax
import numpy as np
import pytest

import fjax
from fjax.layers import BatchNormalization, Dense, Dropout, Input
from fjax.visualization import LearningRateSweep, find_learning_rate

random = np.random.default_rng(0)
X = random.normal(size=(100, 3)).astype("float32")
# Without the noise, a linear model would fit exactly and stay there at any rate.
Y = X @ np.array([1.0, -2.0, 3.0], "float32") + random.normal(size=100).astype("float32")


def make_model(optimizer="sgd", **arguments):
    model = fjax.Sequential([Input((3,)), Dense(1)], seed=0)
    model.compile(optimizer, "mse", **arguments)
    return model


@pytest.fixture(scope="module")
def sweep():
    return find_learning_rate(make_model(), X, Y, steps=200)


def test_learning_rates(sweep):
    rates = sweep.learning_rates
    assert (rates[0], rates[-1], len(rates)) == (1e-5, 10.0, 200)
    np.testing.assert_allclose(rates[1:] / rates[:-1], rates[1] / rates[0])


def test_losses_equal_those_of_fit(sweep):
    """Callbacks set the rate of each step of `fit` and record its loss."""
    model = make_model()

    class SetRate(fjax.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.optimizer.learning_rate = sweep.learning_rates[batch]

    logged = []

    class RecordLoss(fjax.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            logged.append(logs["loss"])

    model.fit(
        X, Y, batch_size=32, epochs=1, steps_per_epoch=40, verbose=0,
        callbacks=[SetRate(), RecordLoss()],
    )  # fmt: skip
    # The logs are running means over samples, and each fourth batch has 4 samples.
    sizes = np.array([4 if step % 4 == 3 else 32 for step in range(40)])
    means = np.cumsum(sweep.losses[:40] * sizes) / np.cumsum(sizes)
    np.testing.assert_allclose(logged, means, rtol=1e-5)


def test_compiles_one_program(compilations):
    model = make_model()
    assert model.train_state
    compilations.clear()
    find_learning_rate(model, X, Y, steps=100)
    assert len([name for name in compilations if "range_test" in name]) == 1


def test_model_is_unchanged():
    weights = []
    for sweep_first in (False, True):
        model = fjax.Sequential(
            [Input((3,)), Dense(8, "relu"), BatchNormalization(), Dropout(0.3), Dense(1)], seed=1
        )
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(X, Y, epochs=1, verbose=0)
        if sweep_first:
            before = jax.tree.map(np.array, model.train_state._replace(key=0))
            find_learning_rate(model, X, Y, steps=30)
            jax.tree.map(np.testing.assert_array_equal, before, model.train_state._replace(key=0))
        model.fit(X, Y, epochs=1, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_suggestion_trains_well(sweep):
    assert 0.003 < sweep.suggestion < 0.1
    model = make_model(fjax.optimizers.SGD(sweep.suggestion))
    losses = model.fit(X, Y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 1.2 < losses[0]


def test_schedule_is_ignored_and_sample_weights_count():
    schedule = fjax.optimizers.schedules.ExponentialDecay(0.5, 1, 0.1)
    one = find_learning_rate(make_model(fjax.optimizers.SGD(schedule)), X, Y, steps=40)
    other = find_learning_rate(make_model(), X, Y, steps=40)
    np.testing.assert_allclose(one.losses, other.losses, rtol=1e-6)
    doubled = find_learning_rate(
        make_model(), X, Y, steps=40, sample_weight=np.full(100, 2.0), max_learning_rate=1e-4
    )
    assert doubled.losses[0] == pytest.approx(2 * other.losses[0], rel=1e-5)


def test_iterable_and_custom_train_step():
    class Batches:
        def __iter__(self):
            yield X[:50], Y[:50]
            yield X[50:], Y[50:]

    batches = Batches()
    expected = find_learning_rate(make_model(), batches, steps=40).losses

    def train_step(train_state, batch):
        model = make_model()
        step = fjax.training.train_step(
            model.network, fjax.losses.MeanSquaredError(), fjax.optimizers.SGD()
        )
        return step(train_state, batch)

    custom = make_model(train_step=train_step)
    np.testing.assert_allclose(
        find_learning_rate(custom, batches, steps=40).losses, expected, rtol=1e-6
    )


def test_several_outputs_and_class_weight():
    inputs = Input((3,))
    model = fjax.Model(inputs, {"a": Dense(1, name="a")(inputs), "b": Dense(1, name="b")(inputs)})
    model.compile("sgd", {"a": "mse", "b": "mae"}, metrics={"a": ["mae"]})
    losses = find_learning_rate(model, X, {"a": Y, "b": Y}, steps=20).losses
    assert np.isfinite(losses[:10]).all()
    classifier = fjax.Sequential([Input((3,)), Dense(1, "sigmoid")], seed=0)
    classifier.compile("sgd", "binary_crossentropy")
    labels = (Y > 0).astype("int32")
    plain, weighted = (
        find_learning_rate(classifier, X, labels, steps=20, class_weight=weight).losses[0]
        for weight in (None, {0: 3.0, 1: 3.0})
    )
    assert weighted == pytest.approx(3 * plain, rel=1e-5)


def test_plot(sweep, tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure = sweep.plot(tmp_path / "sweep.png")
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert axes.get_legend().get_texts()[2].get_text() == f"suggestion: {sweep.suggestion:.2g}"
    # The axis leaves out the diverging losses, which are thousands of times larger.
    assert np.nanmax(sweep.losses) > 1e3 > axes.get_ylim()[1]
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
    pyplot.close("all")


def test_no_suggestion():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    rates = np.geomspace(1e-5, 1, 100)
    falling = LearningRateSweep(rates, np.linspace(2, 1, 100))
    with pytest.raises(ValueError, match=r"still falling at the learning rate 1, .* larger `max_"):
        _ = falling.suggestion
    for losses in (np.linspace(1, 9, 100), np.full(100, np.nan), np.ones(100)):
        rising = LearningRateSweep(rates, losses)
        with pytest.raises(ValueError, match="did not fall at any learning rate from 1e-05 to 1"):
            _ = rising.suggestion
        assert len(rising.plot().axes[0].get_legend().get_texts()) == 2
    pyplot.close("all")


def test_losses_that_are_not_finite():
    rates = np.geomspace(1e-4, 1, 100)
    losses = np.abs(np.log10(rates) + 2) + 1
    losses[75:] = np.nan
    sweep = LearningRateSweep(rates, losses)
    assert sweep.suggestion == pytest.approx(1e-3, rel=0.2)
    assert np.isinf(sweep.smoothed[80:]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 5}, "`steps` must be an integer of at least 20, received 5"),
        ({"min_learning_rate": 0}, r"`min_learning_rate` must be a number in \(0, inf\)"),
        ({"max_learning_rate": 1e-6}, r"`max_learning_rate` must be a number in \(1e-05, inf\)"),
        ({"batch_size": 0}, "`find_learning_rate`: `batch_size` must be an integer"),
    ],
)
def test_invalid_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        find_learning_rate(make_model(), X, Y, **arguments)


def test_invalid_models():
    with pytest.raises(TypeError, match=r"takes a compiled model, received Dense.* `Dense`"):
        find_learning_rate(Dense(1), X, Y)
    with pytest.raises(RuntimeError, match=r"must be compiled before `find_learning_rate`"):
        find_learning_rate(fjax.Sequential([Dense(1)]), X, Y)
    optax = pytest.importorskip("optax")
    with pytest.raises(TypeError, match="`learning_rate` of the optimizer's state, and this state"):
        find_learning_rate(make_model(optax.sgd(0.1)), X, Y)
    silent = make_model(train_step=lambda train_state, batch: (train_state, {"error": 0.0}))
    with pytest.raises(ValueError, match=r"the log 'loss', .* Logged: error"):
        find_learning_rate(silent, X, Y)


def test_generator_ends_too_early():
    batches = ((X[:10], Y[:10]) for _ in range(30))
    with (
        pytest.warns(UserWarning, match="50 steps were requested, but `x` yielded 30"),
        pytest.raises(ValueError, match="needs as many batches, but `x` has 30"),
    ):
        find_learning_rate(make_model(), batches, steps=50)
