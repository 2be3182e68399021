"""TerminateOnNaN: the stop of a training whose loss is not finite, and its explanation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax.callbacks import LambdaCallback, TerminateOnNaN
from fjax.callbacks.not_finite import Chunk, find_bad_step
from fjax.layers import Dense, Dropout, Input
from fjax.training.programs import copy_of

X = np.linspace(1, 2, 40, dtype="float32")[:, None]
BAD = X.copy()
# In batch 6 of 10.
BAD[26] = -1


def compiled(layers, optimizer="sgd", loss="mse", **options):
    model = fjax.Sequential([Input((1,)), *layers], seed=0)
    model.compile(optimizer, loss, **options)
    return model


def logarithm(x):
    return jnp.log(x)


class Within(fjax.Layer):
    """A subclassed layer that calls the bad function."""

    def __init__(self):
        super().__init__()
        self.before = Dense(1, kernel_initializer="ones")

    def call(self, inputs):
        return logarithm(self.before(inputs))


class Inner(fjax.Layer):
    def __init__(self):
        super().__init__()
        self.bad = fjax.layers.Lambda(logarithm)

    def call(self, inputs):
        return self.bad(inputs)


class Drops(fjax.Layer):
    def __init__(self):
        super().__init__()
        self.drop, self.bad = Dropout(0.05), fjax.layers.Lambda(logarithm)

    def call(self, inputs):
        return self.bad(self.drop(inputs))


def graph():
    inputs = Input((1,))
    outputs = Dense(1, name="last")(fjax.layers.Lambda(logarithm, name="bad")(inputs))
    return fjax.Model(inputs, outputs, seed=0)


class Net(fjax.Model):
    """A subclassed model that calls the bad function in a sublayer or in its own `call`."""

    def __init__(self, within):
        super().__init__(seed=0)
        self.within = within
        self.inner, self.last = Inner(), Dense(1)

    def call(self, inputs):
        return self.last(self.inner(inputs)) if self.within else jnp.log(inputs) + self.last(inputs)


NETWORKS = {
    "row": (lambda: compiled([logarithm, Dense(1)]), "'logarithm', Function(function=logarithm)"),
    "nested": (
        lambda: compiled([fjax.serial(Dropout(0.0), logarithm), Dense(1)]),
        "'sequential/logarithm'",
    ),
    "subclassed layer": (lambda: compiled([Within(), Dense(1)]), "'within'"),
    "subclassed layer with sublayer": (
        lambda: compiled([Inner(), Dense(1)]),
        "'inner/bad', Lambda(",
    ),
    "graph": (graph, "'bad', Lambda("),
    "subclassed model": (lambda: Net(within=True), "'inner/bad', Lambda("),
    "subclassed model, own call": (lambda: Net(within=False), "the model's own `call`, <Net"),
    "one layer": (lambda: fjax.Model(fjax.layers.Lambda(logarithm), input_shape=(1,)), "'lambda'"),
}


def finite_params(model):
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(model.train_state.params))


@pytest.mark.parametrize("name", NETWORKS)
def test_message_names_layer_and_batch(name, capsys):
    make, layer = NETWORKS[name]
    model, callback = make(), TerminateOnNaN()
    model.compile(fjax.optimizers.SGD(1e-3), "mse")
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    history = model.fit(BAD, X, epochs=5, callbacks=[callback], **options)
    assert history.epoch == [0] and np.isnan(history.history["loss"][0])
    assert "Epoch 1, batch 6: the loss is nan, training stops. Inputs and" in callback.message
    assert f"the first layer whose outputs are not is {layer}" in callback.message
    assert capsys.readouterr().out == callback.message + "\n"


@pytest.mark.parametrize(
    ("options", "callbacks"),
    [
        ({"verbose": 1, "shuffle": False}, []),
        ({"verbose": 2, "shuffle": False, "steps_per_epoch": 7}, []),
        ({"verbose": 0, "shuffle": False}, [LambdaCallback(on_batch_end=lambda batch, logs: 0)]),
        ({"verbose": 0, "shuffle": True}, []),
    ],
)
def test_batch_does_not_depend_on_chunks(options, callbacks):
    model, callback = compiled([logarithm, Dense(1)]), TerminateOnNaN()
    model.fit(BAD, X, batch_size=4, epochs=2, callbacks=[*callbacks, callback], **options)
    assert "is 'logarithm'" in callback.message
    if not options["shuffle"]:
        assert "Epoch 1, batch 6:" in callback.message


def test_data_in_windows(monkeypatch):
    # A window holds two batches.
    monkeypatch.setattr("fjax.training.placement.Placement.capacity", lambda self: 64)
    model, callback = compiled([logarithm, Dense(1)]), TerminateOnNaN()
    history = model.fit(
        BAD, X, batch_size=4, shuffle=False, epochs=3, verbose=0, callbacks=[callback]
    )
    assert "Epoch 1, batch 6:" in callback.message and "'logarithm'" in callback.message
    assert history.epoch == [0]


def test_later_epoch_with_other_callbacks():
    model, callback = compiled([logarithm, Dense(1)]), TerminateOnNaN()
    seen = []

    def batches():
        for epoch in range(9):
            for step in range(10):
                seen.append((epoch, step))
                yield (BAD if (epoch, step) == (2, 4) else X)[24:28], X[24:28]

    rate = fjax.callbacks.LearningRateScheduler(lambda epoch: 1e-3)
    history = model.fit(
        batches(), steps_per_epoch=10, epochs=9, verbose=0, callbacks=[callback, rate]
    )
    assert "Epoch 3, batch 4: the loss is nan" in callback.message
    # At most the batches of this epoch were read.
    assert history.epoch == [0, 1, 2] and len(seen) <= 30


def test_weights_made_infinite_by_an_update():
    model = compiled([Dense(1)], fjax.optimizers.SGD(3e38))
    callback = TerminateOnNaN()
    model.fit(X, X, batch_size=4, shuffle=False, verbose=0, callbacks=[callback])
    assert "batch 1: the loss is nan, training stops" in callback.message
    assert "The weight 'dense/bias' is inf before this batch: the update before" in callback.message


def test_random_layers_repeat_their_draws():
    # Dropout makes some inputs 0, whose logarithm is not finite.
    inner = fjax.serial(Dropout(0.05), logarithm)
    inputs = Input((1,))
    graph = fjax.Model(inputs, inner(Dense(1, kernel_initializer="ones")(inputs)))
    for layers in ([inner], [graph], [Drops()]):
        model, callback = compiled(layers), TerminateOnNaN()
        model.compile(fjax.optimizers.SGD(0.0), "mse")
        model.fit(X, X, batch_size=4, epochs=9, verbose=0, callbacks=[callback])
        assert "sequential/logarithm" in callback.message or "/bad'" in callback.message
        assert "they hold inf" in callback.message


def test_only_the_gradient_is_not_finite():
    # The root of 0 is finite, its gradient is not.
    model = compiled([Dense(1, use_bias=False, kernel_initializer="zeros"), jnp.abs, jnp.sqrt])
    callback = TerminateOnNaN()
    model.fit(X, X, batch_size=4, verbose=0, callbacks=[callback])
    assert "batch 1: " in callback.message
    assert "The weight 'dense/kernel' is inf before this batch: the update" in callback.message


def test_weights_not_finite_before_training():
    model, callback = compiled([Dense(1)]), TerminateOnNaN()
    model.set_weights([weight * np.nan for weight in model.get_weights()])
    model.fit(X, X, verbose=0, callbacks=[callback])
    assert "'dense/bias' is nan before this batch: it was so before the first" in callback.message


def test_only_the_loss_is_not_finite():
    def loss(y_true, y_pred):
        return jnp.log(y_pred - y_pred - 1.0)[:, 0]

    model, callback = compiled([Dense(1)], loss=loss), TerminateOnNaN()
    model.fit(X, X, verbose=0, callbacks=[callback])
    assert "batch 0: the loss is nan" in callback.message
    assert "the outputs of all layers are finite: the loss computed from them" in callback.message


def test_raise_error():
    model, callback = compiled([logarithm, Dense(1)]), TerminateOnNaN(raise_error=True)
    with pytest.raises(RuntimeError, match="Epoch 1, batch 6: the loss is nan"):
        model.fit(BAD, X, batch_size=4, shuffle=False, verbose=0, callbacks=[callback])
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.fit(X, X, verbose=0)
    assert finite_params(model)


def test_finite_run_is_silent_and_unchanged(capsys, fetches):
    models = [compiled([Dense(1)], "adam") for _ in range(2)]
    counts = []
    for model, callbacks in zip(models, ([], [TerminateOnNaN()]), strict=True):
        for epochs in (1, 4):
            fetches.clear()
            model.fit(X, X, batch_size=4, epochs=epochs, verbose=0, callbacks=callbacks)
            counts.append(len(fetches))
    assert capsys.readouterr().out == ""
    for one, two in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, two)
    # It reads one loss per epoch, not one per step.
    assert counts[3] - counts[2] <= counts[1] - counts[0] + 3


def test_needs_no_steps_and_no_recompilation(compilations):
    callback = TerminateOnNaN()
    assert not fjax.callbacks.CallbackList([callback], None).steps("train").needs_each_step
    model = compiled([Dense(1)])
    model.fit(X, X, verbose=0)
    compilations.clear()
    model.fit(X, X, epochs=3, verbose=0, callbacks=[callback])
    assert not any("advance" in name for name in compilations)


def test_run_eagerly_and_custom_step():
    model, callback = compiled([logarithm, Dense(1)], run_eagerly=True), TerminateOnNaN()
    model.fit(BAD[20:32], X[20:32], batch_size=4, shuffle=False, verbose=0, callbacks=[callback])
    assert "batch 1: the loss is nan" in callback.message and "'logarithm'" in callback.message
    network = fjax.serial(logarithm, Dense(1))
    step = fjax.training.train_step(
        network, fjax.losses.MeanSquaredError(), fjax.optimizers.SGD(1e-3)
    )
    model = fjax.Model(network, input_shape=(1,))
    model.compile(fjax.optimizers.SGD(1e-3), train_step=step)
    model.fit(BAD, X, batch_size=4, shuffle=False, verbose=0, callbacks=[callback])
    assert "Epoch 1, batch 6" in callback.message and "'logarithm'" in callback.message


def test_hooks_called_directly():
    callback = TerminateOnNaN()
    callback.set_model(compiled([Dense(1)]))
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss": 1.0})
    assert callback.message is None and not callback.model.stop_training
    callback.on_epoch_end(1, {"loss": np.inf})
    assert callback.message == "Epoch 2: the loss is inf, training stops."
    assert callback.model.stop_training


@pytest.mark.parametrize("bad", range(7))
def test_search_runs_each_step_at_most_once(bad):
    step_counts = []

    def advance(train_state, constants, data, bounds, is_filled):
        first, last, *_ = bounds
        step_counts.append(int(last - first))
        return last, {"loss": np.nan if last > bad else 1.0}

    _, step = find_bad_step(advance, Chunk(0, None, np.array([0, 7, 28, 0]), False, np.nan))
    assert step == bad and sum(step_counts) <= 7


def test_copy_of_copies_arrays():
    tree = {"a": jnp.ones(3), "key": jax.random.key(0), "count": np.int32(2)}
    copied = copy_of(tree)
    pointer = tree["a"].unsafe_buffer_pointer()
    assert copied["a"].unsafe_buffer_pointer() != pointer
    jax.jit(lambda tree: jax.tree.map(jnp.copy, tree), donate_argnums=0)(tree)
    assert not copied["key"].is_deleted()
    assert int(copied["count"]) == 2
