"""Lamb."""

import jax.numpy as jnp

from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class Lamb(Optimizer):
    """Adam for large batches: each array's update is scaled to the norm of the array.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        beta_1: The decay of the gradient's moving average, in [0, 1).
        beta_2: The decay of the squared gradient's moving average, in [0, 1).
        epsilon: Added to the root of the squared gradient's average.

    For further keyword arguments and the errors see `Optimizer`. As in Keras, weight decay is
    decoupled and does not take part in the norms.

    Source: You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes"
    (2020); Keras, `Lamb`.

    >>> optimizer = Lamb(0.1)
    >>> params = {"w": jnp.array([3.0, -4.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> [round(update, 4) for update in updates["w"].tolist()]
    [-0.3536, 0.3536]
    """

    learning_rate: LearningRate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def _check(self) -> None:
        self._check_number("beta_1", 0.0, 1.0, open_high=True)
        self._check_number("beta_2", 0.0, 1.0, open_high=True)
        self._check_number("epsilon", 0.0)

    def init_one(self, param: Array) -> Slots:
        """Return the averages `momentum` and `velocity`."""
        return {"momentum": jnp.zeros_like(param), "velocity": jnp.zeros_like(param)}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next averages."""
        t = step.astype(jnp.float32)
        m, v = slots["momentum"], slots["velocity"]
        m = m + (1 - self.beta_1) * (grad - m)  # m = β₁ m + (1 - β₁) g
        v = v + (1 - self.beta_2) * (jnp.square(grad) - v)  # v = β₂ v + (1 - β₂) g²
        m_hat, v_hat = m / (1 - self.beta_1**t), v / (1 - self.beta_2**t)
        direction = m_hat / (jnp.sqrt(v_hat) + self.epsilon)
        # Δθ = -η |θ| / |r| r
        update = -learning_rate * _trust_ratio(param, direction) * direction
        return update, {"momentum": m, "velocity": v}


def _trust_ratio(param: Array, direction: Array) -> Array:
    """Return the ratio of the norms, or 1 if one of them is 0."""
    squares = jnp.sum(jnp.square(param)), jnp.sum(jnp.square(direction))
    are_positive = (squares[0] > 0) & (squares[1] > 0)
    # The roots are taken of 1 instead of 0, so that their gradients are finite.
    norms = [jnp.sqrt(jnp.where(are_positive, square, 1.0)) for square in squares]
    return norms[0] / norms[1]
