"""Ctrl-C takes effect at once unless the train state is donated."""

import os
import signal
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import Layer, Sequential
from fjax.layers import Dense, Input
from fjax.training.interrupts import Donations, is_donated

X = np.ones((64, 2), "float32")


class Slow(Layer):
    """A layer that is slow to trace, or to run uncompiled."""

    def call(self, inputs):
        for _ in range(100):
            time.sleep(0.05)
        return inputs


def interrupt_after(seconds):
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def model_of(*layers, **compiled):
    model = Sequential([Input((2,)), *layers])
    model.compile("sgd", "mse", **compiled)
    return model


@pytest.mark.parametrize("eagerly", [False, True], ids=["traced", "run eagerly"])
def test_tracing_and_eager_steps_are_interrupted_at_once(eagerly):
    model = model_of(Dense(1), run_eagerly=eagerly)
    model.fit(X, X[:, :1], verbose=0)
    before = model.get_weights()
    object.__setattr__(model.layer_tree.layers[1], "activation", lambda x: Slow().call(x))
    model.compile("sgd", "mse", run_eagerly=eagerly)
    timer, begun = interrupt_after(0.5), time.perf_counter()
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, X[:, :1], epochs=3, verbose=0)
    finally:
        timer.cancel()
    # Whole the trace, or one step, takes 5 seconds.
    assert time.perf_counter() - begun < 4
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_interrupt_is_delayed_while_the_arrays_are_deleted():
    state = {"w": jnp.ones(3)}
    donating = jax.jit(lambda tree: jax.tree.map(lambda leaf: leaf + 1, tree), donate_argnums=0)
    with pytest.raises(KeyboardInterrupt), Donations() as all_steps, all_steps.of(state):
        result = donating(state)
        assert is_donated(state)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        state = result
    np.testing.assert_array_equal(state["w"], [2.0, 2.0, 2.0])


def test_an_interrupt_is_raised_at_once_while_the_arrays_exist():
    reached = False
    with pytest.raises(KeyboardInterrupt), Donations() as steps, steps.of({"w": jnp.ones(3)}):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        reached = True
    assert not reached


def test_a_users_handler_is_called(monkeypatch):
    signals = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: signals.append(number))
    try:
        with Donations() as steps, steps.of({"w": np.ones(3)}):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
        assert signals == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, previous)


def test_an_error_within_a_step_of_numpy_arrays_is_raised_unchanged():
    def step(train_state, batch):
        raise ZeroDivisionError("within the step")

    model = model_of(Dense(1))
    held = model.train_state
    params = jax.tree.map(np.asarray, held.params)
    model.train_state = held._replace(params=params)
    calls = []

    def failing(train_state, batch):
        # The first call looks at shapes alone.
        calls.append(0)
        return (train_state, {"loss": jnp.zeros(())}) if len(calls) < 2 else step(0, 0)

    model.compile("sgd", "mse", train_step=failing)
    with pytest.raises(ZeroDivisionError, match="within the step"):
        model.fit(X, X[:, :1], verbose=0)


def test_the_handler_is_restored_unless_another_was_set():
    first = signal.getsignal(signal.SIGINT)
    with Donations():
        assert signal.getsignal(signal.SIGINT) != first
    assert signal.getsignal(signal.SIGINT) is first
    try:
        with Donations():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, first)
