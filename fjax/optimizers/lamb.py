"""Lamb."""

import jax.numpy as jnp

from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.optimizers.rates import LearningRate
from fjax.typing import Array


class Lamb(Optimizer):
    """Adam with each array's update brought to the norm of the array, for large batches.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        beta_1: How much of the gradient's mean is kept at each step, from 0 up to but not 1.
        beta_2: How much of the square's mean is kept at each step, from 0 up to but not 1.
        epsilon: Added to the root of the square's mean.

    The keyword arguments common to all are told at `Optimizer`, as are the errors. As in Keras the
    weight decay is Optimizer's own, apart from the norms.

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
        """Return the means, `momentum` and `velocity`."""
        return {"momentum": jnp.zeros_like(param), "velocity": jnp.zeros_like(param)}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next means."""
        t = step.astype(jnp.float32)
        m, v = slots["momentum"], slots["velocity"]
        m = m + (1 - self.beta_1) * (grad - m)  # m = β₁ m + (1 - β₁) g
        v = v + (1 - self.beta_2) * (jnp.square(grad) - v)  # v = β₂ v + (1 - β₂) g²
        m_hat, v_hat = m / (1 - self.beta_1**t), v / (1 - self.beta_2**t)
        direction = m_hat / (jnp.sqrt(v_hat) + self.epsilon)
        update = -learning_rate * _trust(param, direction) * direction  # Δθ = -η |θ| / |r| r
        return update, {"momentum": m, "velocity": v}


def _trust(param: Array, direction: Array) -> Array:
    """Return the ratio of the norms, 1 where one of them is 0."""
    squares = jnp.sum(jnp.square(param)), jnp.sum(jnp.square(direction))
    both = (squares[0] > 0) & (squares[1] > 0)
    # Ones in place of zeros inside the roots: their gradients stay finite.
    norms = [jnp.sqrt(jnp.where(both, square, 1.0)) for square in squares]
    return norms[0] / norms[1]
