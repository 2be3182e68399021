"""Learning rate schedules; `tests/parity` compares their values with Keras."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax.optimizers import schedules

SCHEDULES = [
    schedules.ExponentialDecay(0.1, 7, 0.5),
    schedules.ExponentialDecay(0.1, 7, 0.5, staircase=True),
    schedules.InverseTimeDecay(0.1, 7, 0.5),
    schedules.PiecewiseConstantDecay([3, 9], [0.1, 0.2, 0.05]),
    schedules.PiecewiseConstantDecay([], [0.1]),
    schedules.PolynomialDecay(0.1, 7, power=0.5),
    schedules.PolynomialDecay(0.1, 7, cycle=True),
    schedules.CosineDecay(0.1, 7, 0.1),
    schedules.CosineDecay(0.0, 7, warmup_target=0.1, warmup_steps=3),
    schedules.CosineDecayRestarts(0.1, 5, m_mul=0.5),
    schedules.CosineDecayRestarts(0.1, 5, t_mul=1.0),
]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)


@every_schedule
def test_accepts_integers_arrays_and_tracers(schedule):
    steps = jnp.arange(24)
    rates = schedule(steps)
    assert (rates.shape, rates.dtype) == (steps.shape, jnp.float32)
    assert (rates >= 0).all()
    single_rates = [schedule(int(step)) for step in steps]
    assert all(rate.shape == () and rate.dtype == jnp.float32 for rate in single_rates)
    np.testing.assert_allclose(rates, single_rates, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(rates, jax.jit(schedule)(steps), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(rates, jax.vmap(schedule)(steps), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(rates, schedule(steps.astype(float)), rtol=1e-6, atol=1e-8)


@every_schedule
def test_get_with_a_config_returns_an_equal_schedule(schedule):
    config = {"class_name": type(schedule).__name__, "config": schedule.get_config()}
    assert schedules.get(config) == schedule
    assert hash(schedules.get(config)) == hash(schedule)
    assert schedules.get(schedule) is schedule


@pytest.mark.parametrize("length", [3, 7, 41, 49, 1000])
def test_staircases_and_cycles_change_exactly_at_their_steps(length):
    edges = jnp.arange(1, 200) * length
    for run in (lambda f: f, jax.jit):
        stairs = run(schedules.InverseTimeDecay(1.0, length, 1.0, staircase=True))
        np.testing.assert_allclose(stairs(edges), 1 / (1 + np.arange(1, 200)), rtol=1e-6)
        np.testing.assert_allclose(stairs(edges - 1), 1 / np.arange(1, 200), rtol=1e-6)
        cycles = run(schedules.PolynomialDecay(1.0, length, 0.0, cycle=True))
        np.testing.assert_array_equal(cycles(edges), 0.0)
        periods = run(schedules.CosineDecayRestarts(1.0, length, t_mul=1.0))
        np.testing.assert_array_equal(periods(edges), 1.0)
        decay = run(schedules.PolynomialDecay(1.0, length, 0.0, power=0.5))
        assert decay(length) == 0.0


@pytest.mark.parametrize("t_mul", [2.0, 3.0, 4.0])
@pytest.mark.parametrize("length", [1, 7, 41, 375])
def test_restarts_happen_exactly_at_their_steps(length, t_mul):
    # Keras's formula has rounding errors: with (1, 2.0) it restarts late at step 8191.
    starts = [length * (t_mul**i - 1) / (t_mul - 1) for i in range(1, 20)]
    starts = np.array([start for start in starts if start < 2**20])
    schedule = schedules.CosineDecayRestarts(1.0, length, t_mul, m_mul=0.5)
    for run in (schedule, jax.jit(schedule)):
        heights = 0.5 ** np.arange(1, len(starts) + 1)
        np.testing.assert_array_equal(run(starts.astype(int)), heights)
        assert (run(starts.astype(int) - 1)[3:] < 0.1 * heights[3:]).all()


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (schedules.ExponentialDecay, (-0.1, 5, 0.5), "`initial_learning_rate`"),
        (schedules.ExponentialDecay, ("0.1", 5, 0.5), "`initial_learning_rate`"),
        (schedules.ExponentialDecay, (0.1, 0, 0.5), r"`decay_steps` must be a number in \(0, inf"),
        (schedules.ExponentialDecay, (0.1, 5, -0.5), "`decay_rate`"),
        (schedules.ExponentialDecay, (0.1, 5, 0.5, "yes"), "`staircase`"),
        (schedules.InverseTimeDecay, (0.1, -5, 0.5), "`decay_steps`"),
        (schedules.InverseTimeDecay, (0.1, 5, -0.5), "`decay_rate`"),
        (
            schedules.PiecewiseConstantDecay,
            ([1, 2], [0.1, 0.2]),
            "one entry more than `boundaries`",
        ),
        (schedules.PiecewiseConstantDecay, ([2, 1], [0.1, 0.2, 0.3]), "`boundaries` must increase"),
        (schedules.PiecewiseConstantDecay, ([1, 1], [0.1, 0.2, 0.3]), "`boundaries` must increase"),
        (schedules.PiecewiseConstantDecay, ([-1], [0.1, 0.2]), "`boundaries`"),
        (schedules.PiecewiseConstantDecay, ([1], [0.1, -0.2]), "`values`"),
        (schedules.PolynomialDecay, (0.1, 0), "`decay_steps`"),
        (schedules.PolynomialDecay, (0.1, 5, -1.0), "`end_learning_rate`"),
        (schedules.PolynomialDecay, (0.1, 5, 0.0, -1.0), "`power`"),
        (schedules.PolynomialDecay, (0.1, 5, 0.0, 1.0, None), "`cycle`"),
        (schedules.CosineDecay, (0.1, 0), "`decay_steps`"),
        (schedules.CosineDecay, (0.1, 5, -1.0), "`alpha`"),
        (schedules.CosineDecay, (0.1, 5, 0.0, "cosine", -0.1, 5), "`warmup_target`"),
        (schedules.CosineDecay, (0.1, 5, 0.0, "cosine", 0.1, -5), "`warmup_steps`"),
        (schedules.CosineDecay, (0.1, 5, 0.0, "cosine", None, 5), "needs a `warmup_target`"),
        (schedules.CosineDecayRestarts, (0.1, 0), "`first_decay_steps`"),
        (schedules.CosineDecayRestarts, (0.1, 5, 0.5), r"`t_mul` must be a number in \[1, inf"),
        (schedules.CosineDecayRestarts, (0.1, 5, 2.0, -1.0), "`m_mul`"),
        (schedules.CosineDecayRestarts, (0.1, 5, 2.0, 1.0, -1.0), "`alpha`"),
    ],
)
def test_invalid_arguments_raise(cls, arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        cls(*arguments)
    assert f"`{cls.__name__}`" in str(caught.value)


def test_a_custom_schedule():
    class Inverse(schedules.LearningRateSchedule):
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, step):
            return self.rate / (step + 1)

    assert Inverse(0.1)(1) == 0.05


def test_a_schedule_without_call_raises():
    with pytest.raises(NotImplementedError, match="define `__call__"):
        schedules.LearningRateSchedule()(0)


def test_the_error_for_an_unknown_name_suggests_a_similar_one():
    with pytest.raises(ValueError, match="Did you mean `CosineDecay`"):
        schedules.get({"class_name": "CosinDecay", "config": {}})
