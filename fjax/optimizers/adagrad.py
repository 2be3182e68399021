"""Adagrad."""

import jax.numpy as jnp

from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class Adagrad(Optimizer):
    """Gradient descent divided by the root of the sum of all squared gradients, for each element.

    Args:
        learning_rate: A number, a schedule, or a function of the step. The paper has 1.0.
        initial_accumulator_value: The initial sum of squares, at least 0.
        epsilon: Added to the sum of squares, inside the root.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization" (2011); Keras, `Adagrad`.

    >>> optimizer = Adagrad(0.1, initial_accumulator_value=0.0)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> [round(update, 4) for update in updates["w"].tolist()]
    [-0.1, 0.1]
    """

    entrywise = True

    traceable_fields = frozenset({"epsilon"})

    learning_rate: LearningRate = 0.001
    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    def _check(self) -> None:
        self._check_number("initial_accumulator_value", 0.0)
        self._check_number("epsilon", 0.0)

    def init_one(self, param: Array) -> Slots:
        """Return `accumulator`, the sum of squares."""
        return {"accumulator": jnp.full_like(param, self.initial_accumulator_value)}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next sum."""
        total = slots["accumulator"] + jnp.square(grad)  # n = n + g²
        update = -learning_rate * grad / jnp.sqrt(total + self.epsilon)  # Δθ = -η g / √(n + ε)
        return update, {"accumulator": total}
