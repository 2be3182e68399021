"""Adamax."""

import jax.numpy as jnp

from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class Adamax(Optimizer):
    """Adam that divides by a decaying maximum of the gradient instead of its average square.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        beta_1: The decay of the gradient's moving average, in [0, 1).
        beta_2: The decay of the gradient's maximum, in [0, 1).
        epsilon: Added to the maximum.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), section 7.1; Keras,
    `Adamax`.

    >>> optimizer = Adamax(0.1)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> [round(update, 4) for update in updates["w"].tolist()]
    [-0.1, 0.1]
    """

    entrywise = True

    traceable_fields = frozenset({"beta_1", "beta_2", "epsilon"})

    learning_rate: LearningRate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def _check(self) -> None:
        self._check_number("beta_1", 0.0, 1.0, open_high=True)
        self._check_number("beta_2", 0.0, 1.0, open_high=True)
        self._check_number("epsilon", 0.0)

    def init_one(self, param: Array) -> Slots:
        """Return the average, `momentum`, and the maximum, `norm`."""
        return {"momentum": jnp.zeros_like(param), "norm": jnp.zeros_like(param)}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next slots."""
        m, u = slots["momentum"], slots["norm"]
        m = m + (1 - self.beta_1) * (grad - m)  # m = β₁ m + (1 - β₁) g
        u = jnp.maximum(self.beta_2 * u, jnp.abs(grad))  # u = max(β₂ u, |g|)
        correction = 1 - self.beta_1 ** step.astype(jnp.float32)
        update = -learning_rate * m / (correction * (u + self.epsilon))
        return update, {"momentum": m, "norm": u}
