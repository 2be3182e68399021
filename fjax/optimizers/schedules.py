"""Learning rate schedules: functions of the step.

The argument of a schedule is the number of earlier updates, an integer or an array of integers; the
result is float32 rates of the same shape. Any function of the step may be used instead.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from fjax.configuration import Configured
from fjax.errors import number_between, one_of
from fjax.registry import Registry, serializer
from fjax.typing import Array, ArrayLike

serialize = serializer("learning_rate_schedule")


class LearningRateSchedule(Configured):
    """Base class of schedules: a subclass defines `__call__(step)`.

    >>> class Halving(LearningRateSchedule):
    ...     initial_learning_rate: float
    ...
    ...     def __call__(self, step):
    ...         return self.initial_learning_rate * 0.5**step
    >>> Halving(0.8)(2)
    0.2
    """

    def __call__(self, step: ArrayLike) -> Array:
        """Return the learning rate after `step` updates."""
        raise NotImplementedError(f"`{type(self).__name__}` must define `__call__(self, step)`.")


class ExponentialDecay(LearningRateSchedule):
    """A rate that is multiplied by the same factor every `decay_steps` steps.

        initial_learning_rate * decay_rate ** (step / decay_steps)

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: The number of steps in which the rate is multiplied by `decay_rate` once.
        decay_rate: The factor.
        staircase: Whether the rate is constant within each `decay_steps`.
        name: A name.

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
    """A rate that is inversely proportional to time.

        initial_learning_rate / (1 + decay_rate * step / decay_steps)

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: The number of steps in a unit of time.
        decay_rate: What each unit of time adds to the denominator.
        staircase: Whether the rate is constant within each `decay_steps`.
        name: A name.

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
    """A rate that changes at given steps and is constant between them.

    The rate is `values[0]` up to and including step `boundaries[0]`, then `values[1]` up to and
    including `boundaries[1]`, and so on; after the last boundary it is `values[-1]`.

    Args:
        boundaries: Increasing steps.
        values: The rates, one more than the boundaries.
        name: A name.

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
                f"`{owner}`: `values` must have one entry more than `boundaries`, received "
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

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain data, the boundaries and the values as lists."""
        lists = {"boundaries": list(self.boundaries), "values": list(self.values)}
        return {**super().get_config(), **lists}

    def __call__(self, step: ArrayLike) -> Array:
        """Return the learning rate at `step`."""
        passed = jnp.asarray(step)[..., None] > jnp.asarray(self.boundaries)
        return jnp.asarray(self.values, jnp.float32)[jnp.sum(passed, axis=-1)]


class PolynomialDecay(LearningRateSchedule):
    """A rate that falls to `end_learning_rate` as a power of the remaining time.

        (initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ** power
            + end_learning_rate

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: The number of steps until the rate is `end_learning_rate`.
        end_learning_rate: The rate at the end and after it.
        power: The power; 1 gives a linear decay.
        cycle: Whether the decay restarts instead of staying at the end. In the formula
            `decay_steps` is then replaced by its smallest multiple that is at least `step`.
        name: A name.

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
        remaining = jnp.maximum(end - step, 0.0) / end
        height = self.initial_learning_rate - self.end_learning_rate
        return height * jnp.power(remaining, self.power) + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """A rate that falls along half a cosine wave, after an optional linear warmup.

    Without warmup the rate falls from `initial_learning_rate` to `alpha` times that in
    `decay_steps` steps. With warmup it first rises from `initial_learning_rate` to `warmup_target`
    in `warmup_steps` steps, and then falls to `alpha` times the target in `decay_steps` steps.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: The number of steps of the decay, without the warmup.
        alpha: The final rate as a fraction of the highest.
        name: A name.
        warmup_target: The rate at the end of the warmup; None means no warmup.
        warmup_steps: The number of steps of the warmup.

    Raises:
        ValueError: An argument is out of its range, or `warmup_steps` is set without a target.

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
        highest = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        progress = jnp.clip((step - self.warmup_steps) / self.decay_steps, 0.0, 1.0)
        rate = highest * _half_wave(progress, self.alpha)
        if not self.warmup_steps:
            return rate
        rise = (highest - self.initial_learning_rate) * (step / self.warmup_steps)
        return jnp.where(step < self.warmup_steps, rise + self.initial_learning_rate, rate)


class CosineDecayRestarts(LearningRateSchedule):
    """A rate that falls along half a cosine wave in each period, and restarts.

    A period starts at `m_mul` times the rate of the previous one, and is `t_mul` times as long.

    Args:
        initial_learning_rate: The rate at step 0.
        first_decay_steps: The number of steps of the first period.
        t_mul: The factor by which each period is longer than the previous one, at least 1.
        m_mul: The factor of the rate at the start of each period.
        alpha: The rate at the end of a period, as a fraction of `initial_learning_rate`.
        name: A name.

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
            progress = step % self.first_decay_steps / self.first_decay_steps
        else:
            # Period i starts at first_decay_steps * (t_mul**i - 1) / growth; this is solved for i.
            # A rounding error of the logarithm may move a restart by a step, so the rounded period
            # is checked by a comparison without division.
            growth, first = self.t_mul - 1.0, self.first_decay_steps
            period = jnp.round(jnp.log1p(step / first * growth) / math.log(self.t_mul))
            has_begun = step * growth >= first * (jnp.power(self.t_mul, period) - 1.0)
            period = jnp.where(has_begun, period, period - 1.0)
            length = jnp.power(self.t_mul, period)
            progress = (step * growth - first * (length - 1.0)) / (first * growth * length)
        height = jnp.power(self.m_mul, period)
        return self.initial_learning_rate * _half_wave(progress, self.alpha, height)


def get(identifier: Any) -> Any:
    """Return the schedule for an identifier: its configuration as a dict, or the schedule itself.

    >>> config = {"initial_learning_rate": 0.1, "decay_steps": 5}
    >>> get({"class_name": "CosineDecay", "config": config})
    CosineDecay(initial_learning_rate=0.1, decay_steps=5)

    Raises:
        ValueError: The name is unknown; the nearest known one is suggested.
        TypeError: The identifier is none of these.
    """
    return _registry.get(identifier)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the schedule that `serialize` described.

    >>> deserialize(serialize(ExponentialDecay(0.1, 10, 0.5))) == ExponentialDecay(0.1, 10, 0.5)
    True
    """
    return _registry.deserialize(config, custom_objects)


def _periods(schedule: ExponentialDecay | InverseTimeDecay, step: ArrayLike) -> Array:
    step = jnp.asarray(step, jnp.float32)
    # Not `floor(step / decay_steps)`: XLA's division by a constant is inexact.
    return step // schedule.decay_steps if schedule.staircase else step / schedule.decay_steps


def _half_wave(progress: Array, alpha: float, height: Array | float = 1.0) -> Array:
    """Return half a cosine wave from `height` at progress 0 down to `alpha` at progress 1."""
    wave = 0.5 * height * (1.0 + jnp.cos(math.pi * progress))
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
