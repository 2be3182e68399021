"""Schedules: the learning rate as a function of the step.

A schedule is called with the number of updates made so far, an integer or an array of them, and
returns float32 rates of the same shape. Any function of the step may stand in its place.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from fjax.configuration import Configured
from fjax.errors import number_between, one_of
from fjax.registry import Registry
from fjax.typing import Array, ArrayLike


class LearningRateSchedule(Configured):
    """Base of the schedules; a subclass defines `__call__(step)`.

    >>> class Halving(LearningRateSchedule):
    ...     initial_learning_rate: float
    ...
    ...     def __call__(self, step):
    ...         return self.initial_learning_rate * 0.5**step
    >>> Halving(0.8)(2)
    0.2
    """

    def __call__(self, step: ArrayLike) -> Array:
        """Return the learning rate for the update that follows `step` earlier ones."""
        raise NotImplementedError(
            f"`{type(self).__name__}` is a learning rate schedule without a rule: "
            "define `__call__(self, step)`."
        )


class ExponentialDecay(LearningRateSchedule):
    """A rate that shrinks by the same factor every `decay_steps` steps.

        initial_learning_rate * decay_rate ** (step / decay_steps)

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps in which the rate is multiplied by `decay_rate` once.
        decay_rate: The factor.
        staircase: Whether the rate stays level within each `decay_steps`.
        name: A name of your own.

    Raises:
        ValueError: An argument is out of its range.

    Source: Keras, `ExponentialDecay`.

    >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(jnp.array([0, 10, 20]))
    Array([0.1  , 0.05 , 0.025], dtype=float32)
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    name: str = "ExponentialDecay"

    def __post_init__(self) -> None:
        _check_not_negative(self, "initial_learning_rate", "decay_rate")
        _check_positive(self, "decay_steps")
        _check_bool(self, "staircase")

    def __call__(self, step: ArrayLike) -> Array:
        """Return the learning rate at `step`."""
        return self.initial_learning_rate * jnp.power(self.decay_rate, _periods(self, step))


class InverseTimeDecay(LearningRateSchedule):
    """A rate that falls as one over the time.

        initial_learning_rate / (1 + decay_rate * step / decay_steps)

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps that count as one unit of time.
        decay_rate: How much each unit of time adds to the denominator.
        staircase: Whether the rate stays level within each `decay_steps`.
        name: A name of your own.

    Raises:
        ValueError: An argument is out of its range.

    Source: Keras, `InverseTimeDecay`.

    >>> InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(jnp.array([0, 10, 30]))
    Array([0.1  , 0.05 , 0.025], dtype=float32)
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    name: str = "InverseTimeDecay"

    def __post_init__(self) -> None:
        _check_not_negative(self, "initial_learning_rate", "decay_rate")
        _check_positive(self, "decay_steps")
        _check_bool(self, "staircase")

    def __call__(self, step: ArrayLike) -> Array:
        """Return the learning rate at `step`."""
        return self.initial_learning_rate / (1.0 + self.decay_rate * _periods(self, step))


class PiecewiseConstantDecay(LearningRateSchedule):
    """A rate that changes at given steps and is level between them.

    The rate is `values[0]` up to and including step `boundaries[0]`, then `values[1]` up to and
    including `boundaries[1]`, and after the last boundary `values[-1]`.

    Args:
        boundaries: The last step of each level but the last, increasing.
        values: The levels, one more than the boundaries.
        name: A name of your own.

    Raises:
        ValueError: The lengths do not fit, the boundaries do not increase, or a value is negative.

    Source: Keras, `PiecewiseConstantDecay`.

    >>> PiecewiseConstantDecay([10, 20], [0.1, 0.05, 0.01])(jnp.array([10, 11, 21]))
    Array([0.1 , 0.05, 0.01], dtype=float32)
    """

    boundaries: Sequence[float]
    values: Sequence[float]
    name: str = "PiecewiseConstant"

    def __post_init__(self) -> None:
        self.boundaries = tuple(self.boundaries)
        self.values = tuple(self.values)
        owner = type(self).__name__
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"`{owner}`: `values` must be one more than `boundaries`, received "
                f"{len(self.values)} values and {len(self.boundaries)} boundaries."
            )
        for value in self.values:
            number_between(owner, "values", value, 0.0)
        for boundary in self.boundaries:
            number_between(owner, "boundaries", boundary, 0.0)
        if any(
            low >= high for low, high in zip(self.boundaries, self.boundaries[1:], strict=False)
        ):
            raise ValueError(
                f"`{owner}`: `boundaries` must increase, received {list(self.boundaries)}."
            )

    def __call__(self, step: ArrayLike) -> Array:
        """Return the learning rate at `step`."""
        passed = jnp.asarray(step)[..., None] > jnp.asarray(self.boundaries)
        return jnp.asarray(self.values, jnp.float32)[jnp.sum(passed, axis=-1)]


class PolynomialDecay(LearningRateSchedule):
    """A rate that goes down to `end_learning_rate` along a power of the time left.

        (initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ** power
            + end_learning_rate

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps until the end is reached.
        end_learning_rate: The rate at the end, and from there on.
        power: The power; 1 is a straight line.
        cycle: Whether, instead of staying at the end, the decay starts anew from part of the way
            up: `decay_steps` is then its first multiple that is not below `step`.
        name: A name of your own.

    Raises:
        ValueError: An argument is out of its range.

    Source: Keras, `PolynomialDecay`.

    >>> PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(jnp.array([0, 5, 20]))
    Array([0.1 , 0.05, 0.  ], dtype=float32)
    """

    initial_learning_rate: float
    decay_steps: float
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False
    name: str = "PolynomialDecay"

    def __post_init__(self) -> None:
        _check_not_negative(self, "initial_learning_rate", "end_learning_rate", "power")
        _check_positive(self, "decay_steps")
        _check_bool(self, "cycle")

    def __call__(self, step: ArrayLike) -> Array:
        """Return the learning rate at `step`."""
        step = jnp.asarray(step, jnp.float32)
        cycles = jnp.maximum(-(-step // self.decay_steps), 1.0) if self.cycle else 1.0
        end = self.decay_steps * cycles
        left = jnp.maximum(end - step, 0.0) / end
        height = self.initial_learning_rate - self.end_learning_rate
        return height * jnp.power(left, self.power) + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """A rate that follows half a cosine wave down, after an optional straight warmup.

    Without a warmup the rate goes from `initial_learning_rate` to `alpha` times it in `decay_steps`
    steps. With one it first rises from `initial_learning_rate` to `warmup_target` in `warmup_steps`
    steps, and then goes from `warmup_target` to `alpha` times that in `decay_steps` more.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps of the decay, the warmup not counted.
        alpha: What is left at the end, as a fraction.
        name: A name of your own.
        warmup_target: The rate at the end of the warmup; None for no warmup.
        warmup_steps: Steps of the warmup.

    Raises:
        ValueError: An argument is out of its range, or `warmup_steps` stands without a target.

    Source: Loshchilov and Hutter, "SGDR" (2017); Goyal et al., "Accurate, Large Minibatch SGD"
    (2017), for the warmup; Keras, `CosineDecay`.

    >>> CosineDecay(0.1, decay_steps=10)(jnp.array([0, 5, 10]))
    Array([0.1 , 0.05, 0.  ], dtype=float32)
    >>> CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=4)(jnp.array([2, 4, 9]))
    Array([0.05, 0.1 , 0.05], dtype=float32)
    """

    initial_learning_rate: float
    decay_steps: float
    alpha: float = 0.0
    name: str = "CosineDecay"
    warmup_target: float | None = None
    warmup_steps: float = 0

    def __post_init__(self) -> None:
        _check_not_negative(self, "initial_learning_rate", "alpha", "warmup_steps")
        _check_positive(self, "decay_steps")
        if self.warmup_target is not None:
            _check_not_negative(self, "warmup_target")
        elif self.warmup_steps:
            raise ValueError(
                f"`{type(self).__name__}`: `warmup_steps={self.warmup_steps}` needs a "
                "`warmup_target`, the rate that the warmup rises to."
            )

    def __call__(self, step: ArrayLike) -> Array:
        """Return the learning rate at `step`."""
        step = jnp.asarray(step, jnp.float32)
        top = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        passed = jnp.clip((step - self.warmup_steps) / self.decay_steps, 0.0, 1.0)
        rate = top * _half_wave(passed, self.alpha)
        if not self.warmup_steps:
            return rate
        climb = (top - self.initial_learning_rate) * (step / self.warmup_steps)
        return jnp.where(step < self.warmup_steps, climb + self.initial_learning_rate, rate)


class CosineDecayRestarts(LearningRateSchedule):
    """A rate that follows half a cosine wave down, again and again.

    Each period starts at `m_mul` times the height of the one before and is `t_mul` times as long.

    Args:
        initial_learning_rate: The rate at step 0.
        first_decay_steps: Steps of the first period.
        t_mul: How many times longer the next period is; at least 1.
        m_mul: How many times higher the next period starts.
        alpha: What is left at the end of a period, as a fraction of `initial_learning_rate`.
        name: A name of your own.

    Raises:
        ValueError: An argument is out of its range.

    Source: Loshchilov and Hutter, "SGDR" (2017); Keras, `CosineDecayRestarts`.

    >>> CosineDecayRestarts(0.1, first_decay_steps=10)(jnp.array([0, 5, 10, 20, 30]))
    Array([0.1 , 0.05, 0.1 , 0.05, 0.1 ], dtype=float32)
    """

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0
    name: str = "SGDRDecay"

    def __post_init__(self) -> None:
        _check_not_negative(self, "initial_learning_rate", "m_mul", "alpha")
        _check_positive(self, "first_decay_steps")
        number_between(type(self).__name__, "t_mul", self.t_mul, 1.0)

    def __call__(self, step: ArrayLike) -> Array:
        """Return the learning rate at `step`."""
        step = jnp.asarray(step, jnp.float32)
        if self.t_mul == 1.0:
            period = step // self.first_decay_steps
            passed = step % self.first_decay_steps / self.first_decay_steps
        else:
            # Period i starts at first_decay_steps * (t_mul**i - 1) / growth, solved here for i. The
            # logarithm may miss a restart by a rounding; the comparison, free of division, cannot.
            growth, first = self.t_mul - 1.0, self.first_decay_steps
            period = jnp.round(jnp.log1p(step / first * growth) / math.log(self.t_mul))
            begun = step * growth >= first * (jnp.power(self.t_mul, period) - 1.0)
            period = jnp.where(begun, period, period - 1.0)
            length = jnp.power(self.t_mul, period)
            passed = (step * growth - first * (length - 1.0)) / (first * growth * length)
        height = jnp.power(self.m_mul, period)
        return self.initial_learning_rate * _half_wave(passed, self.alpha, height)


def get(identifier: Any) -> Any:
    """Return the schedule that an identifier means: its configuration as a dict, or itself.

    >>> config = {"initial_learning_rate": 0.1, "decay_steps": 5}
    >>> get({"class_name": "CosineDecay", "config": config})
    CosineDecay(initial_learning_rate=0.1, decay_steps=5)

    Raises:
        ValueError: The name is unknown; the nearest known one is suggested.
        TypeError: The identifier is none of these.
    """
    return _registry.get(identifier)


def _periods(schedule: ExponentialDecay | InverseTimeDecay, step: ArrayLike) -> Array:
    step = jnp.asarray(step, jnp.float32)
    # XLA divides by a constant inexactly, so that a floor of the quotient could miss a stair.
    return step // schedule.decay_steps if schedule.staircase else step / schedule.decay_steps


def _half_wave(passed: Array, alpha: float, height: Array | float = 1.0) -> Array:
    wave = 0.5 * height * (1.0 + jnp.cos(math.pi * passed))
    return (1.0 - alpha) * wave + alpha


def _check_not_negative(schedule: LearningRateSchedule, *arguments: str) -> None:
    for argument in arguments:
        number_between(type(schedule).__name__, argument, getattr(schedule, argument), 0.0)


def _check_positive(schedule: LearningRateSchedule, argument: str) -> None:
    value = getattr(schedule, argument)
    number_between(type(schedule).__name__, argument, value, 0.0, open_low=True)


def _check_bool(schedule: LearningRateSchedule, argument: str) -> None:
    one_of(type(schedule).__name__, argument, getattr(schedule, argument), [False, True])


_registry = Registry(
    "learning rate schedule",
    [
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
        CosineDecay,
        CosineDecayRestarts,
    ],
)
