"""Ftrl."""

import jax.numpy as jnp

from fjax.errors import number_between
from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class Ftrl(Optimizer):
    """Follow the regularized leader: with L1 regularization, irrelevant weights become exactly 0.

    It is meant for shallow models with many sparse features.

    Args:
        learning_rate: A number, a schedule, or a function of the step; above 0 at each update.
        learning_rate_power: The power of the sum of squares that scales the rate, at most 0; with 0
            the rate is constant.
        initial_accumulator_value: The initial sum of squares, at least 0.
        l1_regularization_strength: The L1 penalty, at least 0.
        l2_regularization_strength: The L2 penalty, at least 0.
        l2_shrinkage_regularization_strength: The L2 penalty that is added to the gradient instead,
            at least 0.
        beta: The paper's beta, at least 0.

    For further keyword arguments and the errors see `Optimizer`.

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
        """Return the sum of squares, `accumulator`, and the sum of the linear terms, `linear`."""
        accumulator = jnp.full_like(param, self.initial_accumulator_value)
        return {"accumulator": accumulator, "linear": jnp.zeros_like(param)}

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
