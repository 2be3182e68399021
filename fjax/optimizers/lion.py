"""Lion."""

import jax.numpy as jnp

from fjax.errors import number_between
from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class Lion(Optimizer):
    """Descent by the sign of the momentum: each element moves by the learning rate.

    The paper recommends a learning rate 3 to 10 times smaller than Adam's, and a weight decay
    larger by the same factor.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        beta_1: The weight of the momentum against the gradient in the sign, in (0, 1].
        beta_2: The decay of the momentum, from 0 to 1.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023); Keras, `Lion`.

    >>> optimizer = Lion(0.1)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> updates["w"]
    Array([-0.1,  0.1], dtype=float32)
    """

    entrywise = True

    traceable_fields = frozenset({"beta_1", "beta_2"})

    learning_rate: LearningRate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.99

    def _check(self) -> None:
        number_between(type(self).__name__, "beta_1", self.beta_1, 0.0, 1.0, open_low=True)
        self._check_number("beta_2", 0.0, 1.0)

    def init_one(self, param: Array) -> Slots:
        """Return `momentum`."""
        return {"momentum": jnp.zeros_like(param)}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next momentum."""
        m = slots["momentum"]
        # Δθ = -η sign(β₁ m + (1 - β₁) g)
        update = -learning_rate * jnp.sign(self.beta_1 * m + (1 - self.beta_1) * grad)
        return update, {"momentum": self.beta_2 * m + (1 - self.beta_2) * grad}
