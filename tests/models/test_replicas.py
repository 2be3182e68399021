"""Replicas: one model from several seeds, side by side; each is trained as if alone."""

import copy

import numpy as np
import pytest

import fjax
from fjax.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint
from fjax.layers import Dense, Dropout, Input
from fjax.models import replicas as module

pytestmark = pytest.mark.short

TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 3)).astype("float32")
    return x, (x @ [1.0, -2.0, 0.5]).astype("float32")


def make(seed=5, learning_rate=0.05):
    layers = [Input((3,)), Dense(4, "tanh"), Dropout(0.2), Dense(1)]
    model = fjax.Sequential(layers, seed=seed)
    model.compile(fjax.optimizers.Adam(learning_rate), "mse", metrics=["mae"])
    return model


@pytest.fixture(scope="module")
def trained(data):
    """Return a model with three replicas, its history, and the same models trained alone."""
    x, y = data
    model = make()
    history = model.fit(x, y, epochs=3, validation_split=0.2, replicas=3, verbose=0)
    alone = [make(seed) for seed in (5, 6, 7)]
    histories = [m.fit(x, y, epochs=3, validation_split=0.2, verbose=0) for m in alone]
    return model, history, alone, [own.history for own in histories]


def test_each_replica_equals_a_model_trained_alone(trained, data):
    model, history, alone, histories = trained
    assert len(model.replicas) == 3
    for own, expected in zip(history.replicas, histories, strict=True):
        assert own.keys() == expected.keys()
        for name in own:
            np.testing.assert_allclose(own[name], expected[name], **TOLERANCE)
    outputs = model.replicas.predict((data[0],))
    for own, other in zip(outputs, alone, strict=True):
        np.testing.assert_allclose(own, other.predict(data[0], verbose=0), **TOLERANCE)


def test_the_model_is_the_first_replica(trained, data):
    model, _, alone, _ = trained
    for own, expected in zip(model.get_weights(), alone[0].get_weights(), strict=True):
        np.testing.assert_allclose(own, expected, **TOLERANCE)
    assert int(model.train_state.epoch) == 3
    np.testing.assert_allclose(
        model.evaluate(*data, verbose=0), alone[0].evaluate(*data, verbose=0), **TOLERANCE
    )


def test_the_history_has_mean_and_spread(trained):
    _, history, _, histories = trained
    for name in ("loss", "mae", "val_loss", "val_mae"):
        table = np.array([own[name] for own in histories])
        np.testing.assert_allclose(history.history[name], table.mean(axis=0), **TOLERANCE)
        np.testing.assert_allclose(history.spread[name], table.std(axis=0), **TOLERANCE)


def test_the_ensemble_predicts_with_its_uncertainty(trained, data):
    model, _, alone, _ = trained
    mean, std = model.predict(data[0], return_std=True)
    outputs = np.array([m.predict(data[0], verbose=0) for m in alone])
    np.testing.assert_allclose(mean, outputs.mean(axis=0), **TOLERANCE)
    np.testing.assert_allclose(std, outputs.std(axis=0), **TOLERANCE)


def test_a_later_fit_continues_with_the_same_replicas(trained, data):
    model, _, alone, _ = (copy.deepcopy(part) for part in trained)
    model.fit(*data, initial_epoch=3, epochs=4, replicas=3, verbose=0)
    for own, other in zip(model.replicas.predict((data[0],)), alone, strict=True):
        other.fit(*data, initial_epoch=3, epochs=4, verbose=0)
        np.testing.assert_allclose(own, other.predict(data[0], verbose=0), **TOLERANCE)
    model.fit(*data, verbose=0)
    assert model.replicas is None


def test_all_replicas_begin_with_weights_that_were_set(data):
    model = make()
    model.set_weights([np.full_like(weight, 0.1) for weight in model.get_weights()])
    model.fit(*data, epochs=1, replicas=2, verbose=0, shuffle=False)
    first, second = model.replicas.train_states
    assert np.abs(first.params["dense"]["kernel"] - 0.1).max() < 0.5
    assert np.abs(second.params["dense"]["kernel"] - 0.1).max() < 0.5
    assert (first.params["dense"]["kernel"] != second.params["dense"]["kernel"]).any()


def test_early_stopping_applies_to_each_replica(data):
    stop = EarlyStopping(min_delta=0.3, restore_best_weights=True)
    arguments = {"epochs": 8, "validation_split": 0.2, "verbose": 0}
    model = make(learning_rate=0.2)
    history = model.fit(*data, replicas=4, callbacks=stop, **arguments)
    lengths = []
    for seed, own in zip(range(5, 9), history.replicas, strict=True):
        alone = make(seed, 0.2)
        expected = alone.fit(*data, callbacks=copy.deepcopy(stop), **arguments).history
        lengths.append(len(expected["loss"]))
        np.testing.assert_allclose(own["val_loss"], expected["val_loss"], rtol=1e-4)
        outputs = model.replicas.predict((data[0],))[seed - 5]
        np.testing.assert_allclose(outputs, alone.predict(data[0], verbose=0), atol=1e-4)
    assert len(set(lengths)) > 1
    assert len(history.history["loss"]) == max(lengths)


def test_other_callbacks_see_the_means(data):
    calls = []
    callback = LambdaCallback(on_epoch_end=lambda epoch, logs: calls.append((epoch, logs["loss"])))
    history = make().fit(*data, epochs=2, replicas=2, callbacks=[callback], verbose=0)
    assert calls == list(enumerate(history.history["loss"]))


def test_a_callback_can_stop_the_training(data):
    class Stops(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    history = make().fit(*data, epochs=5, replicas=2, callbacks=[Stops()], verbose=0)
    assert history.epoch == [0]


class SetsTheRate(Callback):
    """Sets the learning rate in one hook."""

    def __init__(self, hook):
        super().__init__()
        setattr(self, hook, self.set_rate)

    def set_rate(self, *arguments):
        self.model.optimizer.learning_rate = 0.5


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin", "on_epoch_end"])
def test_a_callback_that_sets_the_learning_rate_of_the_model_raises(data, hook):
    x, y = data
    with pytest.raises(
        ValueError, match=f"set weights or the learning rate of the model in `{hook}"
    ):
        make().fit(x, y, epochs=2, replicas=2, callbacks=[SetsTheRate(hook)], verbose=0)


def test_the_bar_shows_epochs(data, capsys):
    make().fit(*data, epochs=2, replicas=2, verbose=2)
    assert "Epoch 2/2" in capsys.readouterr().out


def test_a_replica_that_diverges_does_not_count(data, monkeypatch):
    make_members = module._members

    def with_infinite_weights(*args):
        good, bad = make_members(*args)
        state = module.initialize(bad.parts[0], bad.parts[2], bad.seed, *bad.specs)
        params = {**state.params, "dense": {"kernel": np.full((3, 4), np.inf, "float32"),
                                             "bias": np.zeros(4, "float32")}}  # fmt: skip
        return [good, bad._replace(train_state=state._replace(params=params))]

    monkeypatch.setattr(module, "_members", with_infinite_weights)
    history = make().fit(*data, epochs=2, replicas=2, verbose=0)
    alone = make().fit(*data, epochs=2, verbose=0)
    np.testing.assert_allclose(history.history["loss"], alone.history["loss"], **TOLERANCE)
    assert history.spread["loss"] == [0.0, 0.0]


class NeedsSteps(Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"replicas": 0}, "must be an integer of at least 1, received 0"),
        ({"replicas": 2, "steps_per_epoch": 3}, "do not support `steps_per_epoch`"),
        ({"replicas": 2, "resume": "somewhere"}, "do not support `resume`"),
        ({"replicas": 2, "validation_freq": 2}, "do not support `validation_freq`"),
        ({"replicas": 2, "callbacks": NeedsSteps()}, "`NeedsSteps` needs each step"),
        ({"replicas": 2, "callbacks": ModelCheckpoint("a.fjax")}, "saves or changes one model"),
        ({"replicas": 2, "callbacks": EarlyStopping()}, "monitors 'val_loss'"),
        ({"replicas": 2, "validation_data": 3}, r"must be `\(x, y\)`"),
    ],
)
def test_mistakes_raise_before_training(data, arguments, message):
    with pytest.raises(ValueError, match=message):
        make().fit(*data, verbose=0, **arguments)


def test_batches_and_custom_steps_raise(data):
    with pytest.raises(ValueError, match="need arrays"):
        make().fit(iter([data]), replicas=2)
    model = make()
    model.compile("sgd", "mse", train_step=lambda train_state, batch: (train_state, {"loss": 0.0}))
    with pytest.raises(TypeError, match="to your step yourself"):
        model.fit(*data, replicas=2, verbose=0)


def test_a_single_model_has_no_spread(data):
    with pytest.raises(ValueError, match=r"train it by `fit\(…, replicas=8\)`"):
        make().predict(data[0], return_std=True)


def test_more_replicas_than_fit_in_memory_raise(data):
    with pytest.raises(MemoryError, match=r"A population of 1000000000 members .* are free"):
        make().fit(*data, replicas=10**9)


def test_a_metric_of_each_class_has_its_spread(data):
    x, y = data
    model = fjax.Sequential([Input((3,)), Dense(2, "softmax")], seed=0)
    model.compile("adam", "categorical_crossentropy", metrics=[fjax.metrics.F1Score()])
    targets = np.eye(2, dtype="float32")[(y > 0).astype(int)]
    history = model.fit(x, targets, epochs=1, replicas=2, verbose=0)
    table = np.array([own["f1_score"][0] for own in history.replicas])
    assert table.shape == (2, 2)
    np.testing.assert_allclose(history.history["f1_score"][0], table.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(history.spread["f1_score"][0], table.std(axis=0), atol=1e-6)
