"""Ftrl."""

import jax.numpy as jnp

from fjax.errors import number_between
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.optimizers.rates import LearningRate
from fjax.typing import Array


class Ftrl(Optimizer):
    """Follow the regularized leader: weights that the data does not need become exactly 0.

    For shallow models of many sparse features.

    Args:
        learning_rate: A number, a schedule, or a function of the step; more than 0 when used.
        learning_rate_power: How the rate falls with the sum of squares, at most 0; 0 keeps it.
        initial_accumulator_value: What the sum of squares begins with, at least 0.
        l1_regularization_strength: The weight of the absolute values, at least 0.
        l2_regularization_strength: The weight of the squares, at least 0.
        l2_shrinkage_regularization_strength: The weight of the squares in the gradient, at least 0.
        beta: The paper's beta, at least 0.

    The keyword arguments common to all are told at `Optimizer`, as are the errors.

    Source: McMahan et al., "Ad Click Prediction: a View from the Trenches" (2013); Keras, `Ftrl`.

    >>> optimizer = Ftrl(0.1, l1_regularization_strength=1.5)
    >>> params = {"w": jnp.array([0.0, 0.0])}
    >>> grads = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(grads, optimizer.init(params), params)
    >>> [round(update, 4) for update in updates["w"].tolist()]
    [0.0, 0.0247]
    """

    learning_rate: LearningRate = 0.001
    learning_rate_power: float = -0.5
    initial_accumulator_value: float = 0.1
    l1_regularization_strength: float = 0.0
    l2_regularization_strength: float = 0.0
    l2_shrinkage_regularization_strength: float = 0.0
    beta: float = 0.0

    def _check(self) -> None:
        owner, power = type(self).__name__, "learning_rate_power"
        number_between(owner, power, self.learning_rate_power, float("-inf"), 0.0)
        for argument in (
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
            "beta",
        ):
            self._check_number(argument, 0.0)

    def init_one(self, param: Array) -> Slots:
        """Return the sum of squares, `accumulator`, and of the gradients, `linear`."""
        start = jnp.full_like(param, self.initial_accumulator_value)
        return {"accumulator": start, "linear": jnp.zeros_like(param)}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next sums."""
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2 * learning_rate)
        shrunk = grad + 2 * self.l2_shrinkage_regularization_strength * param
        before, n = slots["accumulator"], slots["accumulator"] + jnp.square(grad)  # n = n + g²
        sigma = (n**power - before**power) / learning_rate  # s = (nᵖ - n₀ᵖ) / η
        z = slots["linear"] + shrunk - sigma * param  # z = z + g - s θ
        new = (jnp.clip(z, -l1, l1) - z) / (n**power / learning_rate + 2 * l2)
        return new - param, {"accumulator": n, "linear": z}
