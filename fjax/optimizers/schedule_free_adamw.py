"""Schedule-free AdamW."""

import jax.numpy as jnp

from fjax.errors import integer_at_least, number_between
from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class ScheduleFreeAdamW(Optimizer):
    """AdamW that averages its iterates instead of following a learning rate schedule.

    Adam updates a separate point, the slot `momentum`. The params, at which gradients are taken,
    lie between this point and the mean of all its positions.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        beta_1: The weight of the mean in the params, in (0, 1].
        beta_2: The decay of the squared gradient's moving average, in [0, 1).
        epsilon: Added to the root of the squared gradient's average.
        warmup_steps: The number of updates in which the rate rises from 0, at least 0.

    For further keyword arguments and the errors see `Optimizer`.

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
        """Return `momentum`, the point that Adam updates, and `velocity`, an average of squares."""
        return {"momentum": jnp.array(param), "velocity": jnp.zeros_like(param)}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next slots."""
        t = step.astype(jnp.float32)
        if self.warmup_steps:
            learning_rate = learning_rate * jnp.minimum(t / self.warmup_steps, 1.0)
        # With β₂ rounded to float32 first, the rounding errors of 1 - β₂ and 1 - β₂ᵗ cancel.
        beta, beta_2 = jnp.float32(self.beta_1), jnp.float32(self.beta_2)
        z, v = slots["momentum"], slots["velocity"]
        x = (param - (1 - beta) * z) / beta  # the mean so far, from y = (1 - β) z + β x
        v = v + (1 - beta_2) * (jnp.square(grad) - v)
        z = z - learning_rate * grad / (jnp.sqrt(v / (1 - beta_2**t)) + self.epsilon)
        x = (1 - 1 / t) * x + z / t
        return (1 - beta) * z + beta * x - param, {"momentum": z, "velocity": v}
