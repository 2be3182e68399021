"""Schedules compared with Keras step by step, and with optax where it has the same formula."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest

from fjax.optimizers import schedules

STEPS = np.arange(0, 45)

CASES = {
    "ExponentialDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5},
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5, "staircase": True},
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 1.2},
    ],
    "InverseTimeDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5},
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5, "staircase": True},
        {"initial_learning_rate": 0.1, "decay_steps": 1.0, "decay_rate": 1e-3},
    ],
    "PiecewiseConstantDecay": [
        {"boundaries": [10, 20, 40], "values": [0.1, 0.03, 0.2, 0.0]},
        {"boundaries": [10.5], "values": [0.1, 0.03]},
    ],
    "PolynomialDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 20},
        {"initial_learning_rate": 0.1, "decay_steps": 20, "end_learning_rate": 0.2, "power": 2.0},
        {"initial_learning_rate": 0.1, "decay_steps": 20, "power": 0.5},
        {"initial_learning_rate": 0.1, "decay_steps": 20, "power": 0.5, "cycle": True},
        {"initial_learning_rate": 0.1, "decay_steps": 7, "end_learning_rate": 0.0, "cycle": True},
    ],
    "CosineDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 20},
        {"initial_learning_rate": 0.1, "decay_steps": 20, "alpha": 0.3},
        {"initial_learning_rate": 0.0, "decay_steps": 20, "warmup_target": 0.1, "warmup_steps": 7},
        {
            "initial_learning_rate": 0.02,
            "decay_steps": 30,
            "alpha": 0.1,
            "warmup_target": 0.1,
            "warmup_steps": 10,
        },
        {"initial_learning_rate": 0.02, "decay_steps": 30, "warmup_target": 0.1},
    ],
    "CosineDecayRestarts": [
        {"initial_learning_rate": 0.1, "first_decay_steps": 8},
        {"initial_learning_rate": 0.1, "first_decay_steps": 8, "alpha": 0.2, "m_mul": 0.5},
        {"initial_learning_rate": 0.1, "first_decay_steps": 8, "t_mul": 1.0, "m_mul": 0.5},
        {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.5},
        {"initial_learning_rate": 0.1, "first_decay_steps": 3, "t_mul": 3.0, "m_mul": 1.1},
    ],
}
SIDE_BY_SIDE = [(name, arguments) for name, cases in CASES.items() for arguments in cases]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("name", "arguments"), SIDE_BY_SIDE)
def test_equals_keras(name, arguments):
    ours = getattr(schedules, name)(**arguments)(STEPS)
    schedule = getattr(keras.optimizers.schedules, name)(**arguments)
    theirs = [schedule(jnp.int32(step)) for step in STEPS]
    assert ours.dtype == jnp.float32
    np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=2e-8)


@pytest.mark.parametrize("name", CASES)
def test_arguments_and_defaults_equal_those_of_keras(name):
    arguments = CASES[name][0]
    ours = getattr(schedules, name)(**arguments).get_config()
    assert ours == getattr(keras.optimizers.schedules, name)(**arguments).get_config()
    positional = getattr(schedules, name)(*ours.values())
    assert positional.get_config() == ours


def test_every_schedule_is_compared():
    public = {
        name
        for name, member in vars(schedules).items()
        if isinstance(member, type) and issubclass(member, schedules.LearningRateSchedule)
    }
    in_keras = {name for name in vars(keras.optimizers.schedules) if name[0].isupper()}
    assert public == in_keras
    assert public - {"LearningRateSchedule"} == CASES.keys()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (schedules.CosineDecay(0.1, 20, 0.3), optax.cosine_decay_schedule(0.1, 20, 0.3)),
        (
            schedules.CosineDecay(0.01, 20, warmup_target=0.1, warmup_steps=8),
            optax.warmup_cosine_decay_schedule(0.01, 0.1, 8, 28),
        ),
        (schedules.ExponentialDecay(0.1, 7, 0.5), optax.exponential_decay(0.1, 7, 0.5)),
        (
            schedules.PolynomialDecay(0.1, 20, 0.01, power=2.0),
            optax.polynomial_schedule(0.1, 0.01, 2.0, 20),
        ),
        (
            schedules.CosineDecayRestarts(0.1, 8, t_mul=1.0),
            lambda step: 0.05 * (1 + jnp.cos(jnp.pi * (step % 8) / 8)),
        ),
    ],
    ids=["cosine", "warmup", "exponential", "polynomial", "restarts"],
)
def test_equals_optax(ours, theirs):
    np.testing.assert_allclose(ours(STEPS), jax.vmap(theirs)(STEPS), rtol=2e-6, atol=2e-8)
