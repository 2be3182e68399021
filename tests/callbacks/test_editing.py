"""Hooks that change the run, and models after a hook that failed."""

import jax
import numpy as np
import pytest

import fjax
from fjax.callbacks import Callback, LambdaCallback
from fjax.callbacks.lambda_callback import HOOKS

FIT_HOOKS = [hook for hook in HOOKS if "predict" not in hook and "resume" not in hook]


class AtHook(LambdaCallback):
    """Calls a function with itself at one hook."""

    def __init__(self, hook, function):
        count = len(HOOKS[hook])
        super().__init__(
            **{hook: (lambda a, b: function(self)) if count == 2 else (lambda a: function(self))}
        )


def zero_params(callback):
    train_state = callback.model.train_state
    params = jax.tree.map(lambda param: param * 0, train_state.params)
    callback.model.train_state = train_state._replace(params=params)


def zero_rate(callback):
    callback.model.optimizer.learning_rate = 0.0


def options(data):
    x, y = data
    return {"x": x, "y": y, "batch_size": 16, "verbose": 0, "validation_data": (x[:8], y[:8])}


BEFORE = ["on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_batch_begin"]


@pytest.mark.parametrize("hook", BEFORE)
def test_learning_rate_set_by_hook_is_used_by_next_step(hook, data, make_model):
    model = make_model()
    before = model.get_weights()
    model.compile(fjax.optimizers.SGD(0.5), "binary_crossentropy")
    model.fit(**options(data), callbacks=[AtHook(hook, zero_rate)])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_learning_rate_set_by_batch_hook_is_used_by_later_steps(data, make_model):
    models = [make_model(), make_model()]
    for model in models:
        model.compile(fjax.optimizers.SGD(0.5), "binary_crossentropy")
    models[0].fit(**options(data), callbacks=[AtHook("on_train_batch_end", zero_rate)])

    def stop(callback):
        callback.model.stop_training = True

    models[1].fit(**options(data), callbacks=[AtHook("on_train_batch_end", stop)])
    for one, two in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("hook", FIT_HOOKS)
def test_params_set_by_hook_are_trained(hook, data, make_model):
    model = make_model()
    model.compile(fjax.optimizers.SGD(0.0), "binary_crossentropy")
    history = model.fit(**options(data), epochs=2, callbacks=[AtHook(hook, zero_params)])
    assert not any(weight.any() for weight in model.get_weights())
    # The sigmoid of 0 is a half: the second epoch uses the zeros, whichever hook set them.
    expected = [] if hook == "on_train_end" else [np.log(2)]
    for name in ("loss", "val_loss"):
        assert history.history[name][1:][: len(expected)] == pytest.approx(expected)


def test_train_state_set_by_callback_is_not_donated(data, make_model):
    model = make_model()
    model.compile(fjax.optimizers.SGD(0.5), "binary_crossentropy")
    kept = jax.tree.map(lambda leaf: leaf.copy(), model.train_state)

    def restart(callback):
        train_state = callback.model.train_state
        callback.model.train_state = train_state._replace(
            params=kept.params, opt_state=kept.opt_state
        )

    model.fit(**options(data), epochs=3, callbacks=[AtHook("on_train_batch_end", restart)])
    for mine, other in zip(model.get_weights(), make_model().get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
    assert not any(leaf.is_deleted() for leaf in jax.tree.leaves(kept.params))


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin", "on_epoch_end"])
def test_restored_train_state_does_not_change_the_logs(hook, data, make_model):
    model = make_model()
    model.compile(fjax.optimizers.SGD(0.0), "binary_crossentropy")
    model.fit(*data, batch_size=16, verbose=0)
    before, states = model.evaluate(*data, verbose=0), []

    def put_back(callback):
        states.append(jax.tree.map(lambda leaf: leaf.copy(), model.train_state))
        model.train_state = states[0]

    history = model.fit(**options(data), epochs=3, callbacks=[AtHook(hook, put_back)])
    assert history.history["loss"] == pytest.approx([before] * 3)


def test_other_accumulators_are_refused_within_an_epoch(data, make_model):
    model = make_model()
    other = make_model()
    other.compile("adam", "mse")

    def swap(callback):
        callback.model.train_state = other.train_state

    with pytest.raises(ValueError, match="`accumulators` are not those of this epoch"):
        model.fit(**options(data), callbacks=[AtHook("on_train_batch_end", swap)])
    model.compile("sgd", "mse")
    model.fit(**options(data))


class Batches:
    """The same batch four times."""

    def __init__(self, x, y):
        self.batch = x[:8], y[:8]

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return self.batch


class BrokenError(Exception):
    pass


def fail(callback):
    raise BrokenError


@pytest.mark.parametrize("hook", sorted(set(HOOKS) - {"on_epoch_resume"}))
def test_model_works_after_hook_failed(hook, data, make_model):
    model, callback = make_model(), AtHook(hook, fail)
    with pytest.raises(BrokenError):
        if "predict" in hook:
            model.predict(data[0], verbose=0, callbacks=[callback])
        else:
            model.fit(**options(data), epochs=2, callbacks=[callback])
    model.fit(**options(data))
    model.compile("sgd", "mse")
    assert np.isfinite(model.evaluate(*data, verbose=0))
    assert model.predict(data[0], verbose=0).shape == (40, 1)


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_test_batch_end", "on_epoch_end"])
def test_generator_is_released_when_hook_fails(hook, data, make_model):
    batches, model = Batches(*data), make_model()
    with pytest.raises(BrokenError):
        model.fit(batches, validation_data=batches, verbose=0, callbacks=[AtHook(hook, fail)])
    assert len(model.fit(batches, verbose=0).epoch) == 1


def test_stop_in_on_train_begin(data, make_model):
    model = make_model()

    class Stops(Callback):
        def on_train_begin(self, logs=None):
            self.model.stop_training = True

    history = model.fit(**options(data), callbacks=[Stops()])
    assert history.epoch == [] and int(model.train_state.step) == 0
