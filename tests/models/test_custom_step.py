"""Custom steps: `fit`, callbacks, validation and compilation work as with the engine's step."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Layer, Model, losses, optimizers, serial, training
from fjax.layers import Dense, Dropout

X = np.random.default_rng(0).normal(size=(50, 3)).astype("float32")
Y = (X @ np.array([1.0, -2.0, 0.5])).astype("float32")[:, None]
NETWORK = serial(Dense(4, "tanh"), Dense(1))
NOISY = serial(Dense(8, "tanh"), Dropout(0.3), Dense(1))
OPTIMIZER = optimizers.Adam(1e-2)
LOSS = losses.MeanSquaredError()


def step_of(network, optimizer=OPTIMIZER):
    """A training step as a user writes it, without counters and accumulators."""

    def step(train_state, batch):
        key = jax.random.fold_in(train_state.key, train_state.step)

        def objective(params):
            outputs, state = network.apply(
                params, train_state.state, *batch.inputs, key=key, training=True
            )
            return LOSS(batch.targets, outputs), state

        (value, state), grads = jax.value_and_grad(objective, has_aux=True)(train_state.params)
        updates, opt_state = optimizer.update(grads, train_state.opt_state, train_state.params)
        params = jax.tree.map(jnp.add, train_state.params, updates)
        train_state = train_state._replace(params=params, state=state, opt_state=opt_state)
        return train_state, {"loss": value, "error": jnp.sqrt(value)}

    return step


def measure(train_state, batch):
    outputs, _ = NETWORK.apply(train_state.params, train_state.state, *batch.inputs)
    return {"distance": jnp.abs(outputs - batch.targets).max()}


def compiled(network=NETWORK, **arguments):
    model = Model(network, input_shape=(3,), seed=0)
    model.compile(OPTIMIZER, **arguments)
    return model


class RecordBatches(fjax.callbacks.Callback):
    """Record the logs of each step."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append((batch, dict(logs)))


def same_bits(first, second):
    first, second = (
        state._replace(key=jax.random.key_data(state.key)) for state in (first, second)
    )
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_a_custom_step_trains_as_the_engine_does():
    custom, engine = compiled(train_step=step_of(NETWORK)), compiled(loss="mse")
    histories = [m.fit(X, Y, epochs=3, verbose=0).history for m in (custom, engine)]
    assert list(histories[0]) == ["error", "loss"]
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-6)
    for a, b in zip(custom.get_weights(), engine.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_a_custom_step_may_call_the_engines_step():
    inner = training.train_step(NETWORK, LOSS, OPTIMIZER)
    custom, engine = compiled(train_step=inner), compiled(loss="mse")
    # Full batches, since the engine fills a smaller last batch, and a custom step gets it as it is.
    histories = [m.fit(X[:48], Y[:48], 16, epochs=3, verbose=0).history for m in (custom, engine)]
    assert histories[0] == histories[1]
    same_bits(custom.train_state, engine.train_state)


@pytest.mark.parametrize("has_hooks", [False, True])
def test_chunks_of_one_step_and_whole_epochs_give_the_same_bits(has_hooks):
    models = [compiled(NOISY, train_step=step_of(NOISY)) for _ in range(2)]
    recorder = RecordBatches()
    history = models[0].fit(X, Y, 16, 3, callbacks=[recorder] if has_hooks else None, verbose=0)
    other = models[1].fit(X, Y, 16, 3, verbose=0)
    assert history.history == other.history
    same_bits(models[0].train_state, models[1].train_state)
    if has_hooks:
        assert [batch for batch, _ in recorder.batches] == [0, 1, 2, 3] * 3
        assert recorder.batches[-1][1]["error"] == history.history["error"][-1]


def test_each_sample_counts_once_and_the_engine_sets_the_counters():
    def step(train_state, batch):
        meddled = train_state._replace(step=jnp.int32(99), batch=train_state.batch + 7, epoch=-3)
        return meddled, {"mean": batch.inputs[0].mean()}

    model = compiled(train_step=step)
    history = model.fit(X, epochs=2, batch_size=16, shuffle=False, verbose=0)
    np.testing.assert_allclose(history.history["mean"], [X.mean()] * 2, rtol=1e-5)
    state = model.train_state
    assert [int(n) for n in (state.step, state.epoch, state.batch)] == [8, 2, 0]


def test_a_step_that_splits_its_key_draws_new_numbers_each_time():
    def step(train_state, batch):
        key, draw_key = jax.random.split(train_state.key)
        return train_state._replace(key=key), {"draw": jax.random.uniform(draw_key)}

    model, recorder = compiled(train_step=step), RecordBatches()
    key = np.array(jax.random.key_data(model.train_state.key))
    model.fit(X, batch_size=10, epochs=1, callbacks=[recorder], verbose=0)
    means = [logs["draw"] for _, logs in recorder.batches]
    draws = np.diff(np.array([0, *means]) * np.arange(6))
    assert len(set(np.round(draws, 5))) == 5
    np.testing.assert_array_equal(jax.random.key_data(model.train_state.key), key)


def test_a_test_step_validates_and_evaluates():
    model = compiled(train_step=step_of(NETWORK), test_step=measure)
    history = model.fit(X, Y, epochs=2, verbose=0, validation_split=0.2, batch_size=16)
    assert list(history.history) == ["error", "loss", "val_distance"]
    value = model.evaluate(X, Y, batch_size=50, verbose=0)
    outputs = model.predict(X, verbose=0)
    assert value == pytest.approx(np.abs(outputs - Y).max(), rel=1e-5)
    assert model.test_on_batch(X, Y, return_dict=True) == {"distance": pytest.approx(value)}


def test_compiled_metrics_evaluate():
    model = compiled(train_step=step_of(NETWORK), loss="mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=1, verbose=0, validation_data=(X, Y))
    assert list(history.history) == ["error", "loss", "val_loss", "val_mae"]
    outputs = model.predict(X, verbose=0)
    expected = [np.mean((outputs - Y) ** 2), np.abs(outputs - Y).mean()]
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), expected, rtol=1e-5)


def test_evaluation_without_test_step_and_metrics_raises():
    model = compiled(train_step=step_of(NETWORK))
    for call in (
        lambda: model.evaluate(X, Y, verbose=0),
        lambda: model.fit(X, Y, validation_split=0.2, verbose=0),
        lambda: model.fit(X, Y, validation_data=(X, Y), verbose=0),
    ):
        with pytest.raises(ValueError, match="pass a `test_step`, a loss or metrics to `compile`"):
            call()
    assert int(model.train_state.step) == 0


def test_steps_as_methods_of_a_subclass():
    class Halving(Model):
        def train_step(self, train_state, batch):
            assert self.network == NETWORK
            halved = jax.tree.map(lambda p: p / 2, train_state.params)
            return train_state._replace(params=halved), {"left": halved["dense"]["kernel"].sum()}

        def test_step(self, train_state, batch):
            return {"count": jnp.float32(len(batch.inputs[0]))}

    model = Halving(NETWORK, input_shape=(3,), seed=0)
    model.compile()
    before = model.get_weights()
    model.fit(X, batch_size=25, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], before[0] / 4, rtol=1e-6)
    assert model.evaluate(X, batch_size=25, verbose=0) == 25
    model.compile(train_step=lambda train_state, batch: (train_state, {"given": 1.0}))
    assert model.fit(X, verbose=0).history == {"given": [1.0]}


class Both(NamedTuple):
    """Two optimizers, each of one network: a pair `init`, `update` without step or rate."""

    def init(self, params):
        return {name: OPTIMIZER.init(params[name]) for name in ("generator", "critic")}

    def update(self, grads, opt_state, params):
        made = {k: OPTIMIZER.update(grads[k], opt_state[k], params[k]) for k in grads}
        return {k: u for k, (u, _) in made.items()}, {k: s for k, (_, s) in made.items()}


class Adversaries(Layer):
    """A generator of points of the plane from noise, and a critic of points."""

    def init(self, key, points):
        one, other = jax.random.split(key)
        return {
            "generator": Dense(2).init(one, points)[0],
            "critic": Dense(1).init(other, points)[0],
        }, {}

    def apply(self, params, state, points, *, key=None, training=False):
        return Dense(1).apply(params["critic"], {}, points)[0], state

    def generate(self, params, noise):
        return Dense(2).apply(params["generator"], {}, noise)[0]


def test_two_networks_train_against_each_other():
    network, pair = Adversaries(), Both()

    def step(train_state, batch):
        (points,) = batch.inputs
        noise = jax.random.normal(train_state.key, points.shape)

        def critic(params, points):
            return network.apply(params, {}, points)[0]

        def worth(part, name):
            params = {**train_state.params, name: part}
            made = network.generate(params, noise)
            fooled = jax.nn.softplus(-critic(params, made)).mean()
            seen = jax.nn.softplus(-critic(params, points)).mean()
            caught = jax.nn.softplus(critic(params, made)).mean()
            return fooled if name == "generator" else seen + caught

        values, grads = {}, {}
        for name, part in train_state.params.items():
            values[f"{name}_loss"], grads[name] = jax.value_and_grad(worth)(part, name)
        updates, opt_state = pair.update(grads, train_state.opt_state, train_state.params)
        params = jax.tree.map(jnp.add, train_state.params, updates)
        return train_state._replace(params=params, opt_state=opt_state), values

    points = X[:, :2] + np.float32(3)
    model = Model(network, seed=1)
    model.compile(pair, train_step=step)

    def distance():
        made = network.generate(model.train_state.params, X[:, 1:])
        return abs(np.asarray(made).mean() - 3)

    model.predict(points, verbose=0)
    before = distance()
    history = model.fit(points, epochs=150, batch_size=16, verbose=0).history
    assert list(history) == ["critic_loss", "generator_loss"]
    assert distance() < before / 2
    assert int(model.train_state.opt_state["critic"].step) == 600


def test_batches_of_an_iterable_targets_of_any_structure_and_weights():
    def step(train_state, batch):
        first, second = batch.targets["pair"]
        return train_state, {"sum": (first + second).mean(), "weight": batch.sample_weight.mean()}

    batches = [
        (X[i : i + 20], {"pair": (Y[i : i + 20], Y[i : i + 20])}, np.ones(20)) for i in (0, 20)
    ]
    model = compiled(train_step=step)
    history = model.fit(dict(enumerate(batches)).values(), epochs=2, verbose=0).history
    np.testing.assert_allclose(history["sum"], [2 * Y[:40].mean()] * 2, rtol=1e-4)
    assert history["weight"] == [1.0, 1.0]


def test_one_batch_at_a_time_and_uncompiled():
    models = [compiled(train_step=step_of(NETWORK), run_eagerly=eager) for eager in (False, True)]
    results = [[m.train_on_batch(X, Y) for _ in range(3)] for m in models]
    np.testing.assert_allclose(*results, rtol=1e-5)
    assert len(results[0][0]) == 2
    assert results[0][2][0] < results[0][0][0]
    assert models[0].train_on_batch(X, Y, return_dict=True).keys() == {"error", "loss"}


def test_a_jitted_step_and_one_compilation(compilations):
    model = compiled(train_step=jax.jit(step_of(NETWORK)))
    model.fit(X, Y, batch_size=16, verbose=0)
    compilations.clear()
    model.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[RecordBatches()])
    assert [name for name in compilations if "advance" in name] == []


def test_compile_traces_the_step_again():
    factor = [1.0]

    def step(train_state, batch):
        return train_state, {"value": jnp.float32(factor[0])}

    model = compiled(train_step=step)
    assert model.fit(X, verbose=0).history["value"] == [1.0]
    factor[0] = 2.0
    model.compile(OPTIMIZER, train_step=step)
    assert model.fit(X, verbose=0).history["value"] == [2.0]


def wrong(change):
    def step(train_state, batch):
        return change(train_state), {"loss": 0.0}

    return step


def cast(train_state):
    params = jax.tree.map(lambda p: p.astype("bfloat16"), train_state.params)
    return train_state._replace(params=params)


def without_bias(train_state):
    params = {**train_state.params, "dense": {"kernel": train_state.params["dense"]["kernel"]}}
    return train_state._replace(params=params)


def wider(train_state):
    kernel = jnp.zeros((3, 5))
    return train_state._replace(params={**train_state.params, "dense": {
        "kernel": kernel, "bias": train_state.params["dense"]["bias"]}})  # fmt: skip


MISTAKES = {
    "no pair": (lambda state, batch: state, TypeError, r"pair `\(train_state, logs\)`, received .*"
                "`TrainState`"),
    "logs first": (lambda state, batch: ({"loss": 0.0}, state), TypeError, r"\['dict', "),
    "no logs": (lambda state, batch: (state, 0.0), TypeError, "as a dict of names to scalars"),
    "a log for each sample": (lambda state, batch: (state, {"loss": batch.targets[:, 0]}),
                              ValueError, r"log 'loss' must be one real number, .* \(16,\)"),
    "dtype": (wrong(cast), ValueError,
              r"return `params` with .*at params\['dense'\]\['bias'\]: expected dtype float32, "
              "received bfloat16"),
    "structure": (wrong(without_bias), ValueError, r"params\['dense'\]\['bias'\]: expected an .*"
                  "received nothing"),
    "shape": (wrong(wider), ValueError, r"params\['dense'\]\['kernel'\]: expected an array of "
              r"shape \(3, 4\), received an array of shape \(3, 5\)"),
    "state": (wrong(lambda state: state._replace(state={"n": 1})), ValueError, "return `state`"),
    "opt_state": (wrong(lambda state: state._replace(opt_state=())), ValueError,
                  "return `opt_state` with the structure, shapes and dtypes"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_an_invalid_step_raises(name, compilations):
    step, kind, message = MISTAKES[name]
    model = compiled(train_step=step)
    with pytest.raises(kind, match=message):
        model.fit(X, Y, batch_size=16, verbose=0)
    assert [name for name in compilations if "advance" in name] == []
    assert int(model.train_state.step) == 0


def test_a_step_that_fails_for_the_smaller_last_batch_raises_before_training():
    def step(train_state, batch):
        halves = batch.inputs[0].reshape(8, 2, 3)
        return train_state, {"mean": halves.mean()}

    model = compiled(train_step=step)
    with pytest.raises(TypeError) as error:
        model.fit(X, batch_size=16, verbose=0)
    assert "batch of 2 samples" in "".join(error.value.__notes__)


def test_invalid_test_steps_raise():
    model = compiled(loss="mse", test_step=lambda state, batch: batch.targets)
    with pytest.raises(TypeError, match="`test_step` must return its logs as a dict"):
        model.evaluate(X, Y, verbose=0)
    with pytest.raises(TypeError, match="`train_step` must be a function"):
        compiled(train_step="mine")
    with pytest.raises(ValueError, match=r"monitors 'val_los', .* Did you mean `val_loss`"):
        recorder = RecordBatches()
        recorder.monitor = "val_los"
        model = compiled(train_step=step_of(NETWORK), loss="mse")
        model.fit(X, Y, validation_split=0.2, callbacks=[recorder], verbose=0)
