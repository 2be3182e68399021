"""Nadam."""

import jax.numpy as jnp

from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class Nadam(Optimizer):
    """Adam with Nesterov's momentum, which increases during the first steps.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        beta_1: The decay of the gradient's moving average, in [0, 1).
        beta_2: The decay of the squared gradient's moving average, in [0, 1).
        epsilon: Added to the root of the squared gradient's average.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Dozat, "Incorporating Nesterov Momentum into Adam" (2016); Keras, `Nadam`.

    >>> optimizer = Nadam(0.1)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> [round(update, 4) for update in updates["w"].tolist()]
    [-0.1063, 0.1063]
    """

    entrywise = True

    shared_slots = frozenset({"product"})

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
        """Return the averages `momentum` and `velocity`, and `product`, that of all μ so far."""
        slots = {"momentum": jnp.zeros_like(param), "velocity": jnp.zeros_like(param)}
        return slots | {"product": jnp.ones((), jnp.float32)}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next slots."""
        t = step.astype(jnp.float32)
        # With β rounded to float32 first, the rounding errors of 1 - β and 1 - βᵗ cancel.
        beta_1, beta_2 = jnp.float32(self.beta_1), jnp.float32(self.beta_2)
        mu = beta_1 * (1 - 0.5 * 0.96**t)  # μ = β₁ (1 - 0.96ᵗ / 2)
        next_mu = beta_1 * (1 - 0.5 * 0.96 ** (t + 1))
        product = slots["product"] * mu  # the product of all μ up to this step, and to the next
        next_product = product * next_mu
        m, v = slots["momentum"], slots["velocity"]
        m = m + (1 - beta_1) * (grad - m)  # m = β₁ m + (1 - β₁) g
        v = v + (1 - beta_2) * (jnp.square(grad) - v)  # v = β₂ v + (1 - β₂) g²
        m_hat = next_mu * m / (1 - next_product) + (1 - mu) * grad / (1 - product)
        v_hat = v / (1 - beta_2**t)
        update = -learning_rate * m_hat / (jnp.sqrt(v_hat) + self.epsilon)
        return update, {"momentum": m, "velocity": v, "product": product}
