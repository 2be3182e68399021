"""AdamW without a schedule."""

import jax.numpy as jnp

from fjax.errors import integer_at_least, number_between
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.optimizers.rates import LearningRate
from fjax.typing import Array


class ScheduleFreeAdamW(Optimizer):
    """AdamW whose params are drawn towards the mean of all its steps, in place of a schedule.

    Adam's steps are made by a point of their own, the slot `momentum`; the params, where gradients
    are taken, lie between it and the mean of where it has been.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        beta_1: How near the params are to the mean, more than 0 and at most 1.
        beta_2: How much of the square's mean is kept at each step, from 0 up to but not 1.
        epsilon: Added to the root of the square's mean.
        warmup_steps: Over how many updates the rate rises from 0, at least 0.

    The keyword arguments common to all are told at `Optimizer`, as are the errors.

    Source: Defazio et al., "The Road Less Scheduled" (2024); Keras, `ScheduleFreeAdamW`.

    >>> optimizer = ScheduleFreeAdamW(0.1)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> [round(update, 4) for update in updates["w"].tolist()]
    [-0.1, 0.1]
    """

    learning_rate: LearningRate = 0.0025
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    warmup_steps: int = 0

    def _check(self) -> None:
        owner = type(self).__name__
        number_between(owner, "beta_1", self.beta_1, 0.0, 1.0, open_low=True)
        self._check_number("beta_2", 0.0, 1.0, open_high=True)
        self._check_number("epsilon", 0.0)
        integer_at_least(owner, "warmup_steps", self.warmup_steps, 0)

    def init_one(self, param: Array) -> Slots:
        """Return `momentum`, the point that makes Adam's steps, and `velocity`, the mean square."""
        return {"momentum": jnp.array(param), "velocity": jnp.zeros_like(param)}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next slots."""
        t = step.astype(jnp.float32)
        if self.warmup_steps:
            learning_rate = learning_rate * jnp.minimum(t / self.warmup_steps, 1.0)
        # Rounded alike, the errors of 1 - β₂ and of 1 - β₂ᵗ go out of the quotient.
        beta, beta_2 = jnp.float32(self.beta_1), jnp.float32(self.beta_2)
        z, v = slots["momentum"], slots["velocity"]
        x = (param - (1 - beta) * z) / beta  # the mean so far, from y = (1 - β) z + β x
        v = v + (1 - beta_2) * (jnp.square(grad) - v)
        z = z - learning_rate * grad / (jnp.sqrt(v / (1 - beta_2**t)) + self.epsilon)
        x = (1 - 1 / t) * x + z / t
        return (1 - beta) * z + beta * x - param, {"momentum": z, "velocity": v}
