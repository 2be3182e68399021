"""The argument `learning_rate` and its former names."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import optimizers
from fjax.optimizers import (
    SGD,
    Adam,
    AdamW,
    RMSprop,
    schedules,
)


class TestLearningRate:
    def test_a_schedule_sets_the_learning_rate_of_the_state(self):
        schedule = schedules.ExponentialDecay(0.1, 1, 0.5)
        optimizer, params = SGD(schedule), {"w": jnp.ones(2)}
        opt_state = jax.jit(optimizer.init)(params)
        for step in range(4):
            assert opt_state.learning_rate == schedule(step)
            updates, opt_state = jax.jit(optimizer.update)(params, opt_state, params)
            np.testing.assert_allclose(updates["w"], -schedule(step) * jnp.ones(2), rtol=1e-6)

    def test_any_function_of_the_step_is_a_schedule(self):
        optimizer, params = SGD(lambda step: 1.0 / (step + 1)), {"w": jnp.ones(1)}
        _, opt_state = optimizer.update(params, optimizer.init(params), params)
        assert opt_state.learning_rate == 0.5

    def test_from_config_restores_a_schedule(self):
        optimizer = Adam(schedules.CosineDecay(0.1, 10, warmup_target=0.2, warmup_steps=5))
        assert Adam.from_config(optimizer.get_config()) == optimizer
        assert optimizers.get({"class_name": "Adam", "config": optimizer.get_config()}) == optimizer

    def test_a_python_number_in_the_state_is_used(self):
        optimizer, params = SGD(0.1), {"w": jnp.ones(1)}
        opt_state = optimizer.init(params)._replace(learning_rate=0.5)
        updates, opt_state = optimizer.update(params, opt_state, params)
        assert updates["w"] == -0.5
        assert opt_state.learning_rate.dtype == jnp.float32

    def test_zero_and_integers_are_rates(self):
        assert SGD(0).learning_rate == 0.0
        assert SGD(1) == SGD(1.0)
        assert SGD(np.float32(0.5)) == SGD(0.5)

    @pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
    def test_a_number_out_of_range_raises(self, rate):
        with pytest.raises(ValueError, match=r"`Adam`: `learning_rate` must be a number in \[0"):
            Adam(rate)

    @pytest.mark.parametrize("rate", ["0.1", None, True, [0.1], 1j])
    def test_other_types_raise(self, rate):
        with pytest.raises(TypeError, match="`learning_rate` must be a number, a schedule or a"):
            SGD(rate)

    @pytest.mark.parametrize("rate", [jnp.float32(0.1), np.ones(3)])
    def test_the_error_for_an_array_names_the_state(self, rate):
        with pytest.raises(TypeError, match=r"to vary the rate, replace `opt_state.learning_ra"):
            SGD(rate)

    @pytest.mark.parametrize("rate", [lambda step, epoch: 0.1, schedules.CosineDecay])
    def test_a_function_with_other_parameters_raises(self, rate):
        with pytest.raises(TypeError, match="called with the step and returns the rate"):
            SGD(rate)

    def test_a_schedule_that_returns_an_array_raises(self):
        with pytest.raises(ValueError, match=r"must return one number for a step, .*shape \(2,\)"):
            SGD(lambda step: jnp.ones(2)).init({"w": jnp.ones(1)})

    def test_lr_is_a_former_name_of_learning_rate(self):
        with pytest.warns(DeprecationWarning, match="older spelling of `learning_rate=`") as caught:
            optimizer = SGD(lr=0.3)
        assert optimizer == SGD(0.3)
        assert caught[0].filename == __file__

    @pytest.mark.parametrize("cls", [SGD, RMSprop, Adam, AdamW])
    def test_decay_becomes_a_schedule(self, cls):
        with pytest.warns(
            DeprecationWarning, match=r"schedules.InverseTimeDecay\(0.3, 1, 0.01\)"
        ) as w:
            optimizer = cls(0.3, decay=0.01)
        assert optimizer == cls(schedules.InverseTimeDecay(0.3, 1, 0.01))
        assert w[0].filename == __file__
        assert cls.from_config(optimizer.get_config()) == optimizer

    def test_lr_and_decay_can_be_combined(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            optimizer = SGD(lr=0.3, decay=0.5)
        params = {"w": jnp.ones(1)}
        opt_state = optimizer.init(params)
        for step in range(3):
            np.testing.assert_allclose(opt_state.learning_rate, 0.3 / (1 + 0.5 * step), rtol=1e-6)
            _, opt_state = optimizer.update(params, opt_state, params)

    def test_a_decay_of_0_leaves_a_number(self):
        with pytest.warns(DeprecationWarning, match="older spelling"):
            assert SGD(0.3, decay=0.0) == SGD(0.3)

    def test_decay_of_a_schedule_raises(self):
        with pytest.raises(ValueError, match="Remove `decay`"):
            SGD(schedules.CosineDecay(0.1, 10), decay=0.1)
