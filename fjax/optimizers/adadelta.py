"""Adadelta."""

import jax.numpy as jnp

from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class Adadelta(Optimizer):
    """Gradient descent whose step size is the ratio of recent updates to recent gradients.

    Args:
        learning_rate: A number, a schedule, or a function of the step. The paper has 1.0.
        rho: The decay of the moving averages, in [0, 1).
        epsilon: Added to both averages, inside the roots.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012); Keras, `Adadelta`.

    >>> optimizer = Adadelta(1.0)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> [round(update, 5) for update in updates["w"].tolist()]
    [-0.00141, 0.00141]
    """

    entrywise = True

    traceable_fields = frozenset({"rho", "epsilon"})

    learning_rate: LearningRate = 0.001
    rho: float = 0.95
    epsilon: float = 1e-7

    def _check(self) -> None:
        self._check_number("rho", 0.0, 1.0, open_high=True)
        self._check_number("epsilon", 0.0)

    def init_one(self, param: Array) -> Slots:
        """Return the averages of squared gradients and of squared updates."""
        return {
            "accumulated_grad": jnp.zeros_like(param),
            "accumulated_delta_var": jnp.zeros_like(param),
        }

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next averages."""
        rho, n, d = self.rho, slots["accumulated_grad"], slots["accumulated_delta_var"]
        n = rho * n + (1 - rho) * jnp.square(grad)  # n = rho n + (1 - rho) g²
        # Δ = -g √(d + ε) / √(n + ε)
        change = -grad * jnp.sqrt(d + self.epsilon) / jnp.sqrt(n + self.epsilon)
        d = rho * d + (1 - rho) * jnp.square(change)  # d = rho d + (1 - rho) Δ²
        return learning_rate * change, {"accumulated_grad": n, "accumulated_delta_var": d}
