"""Stochastic gradient descent."""

import jax.numpy as jnp

from fjax.configuration import is_nonzero
from fjax.errors import one_of
from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class SGD(Optimizer):
    """Gradient descent, optionally with momentum.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        momentum: The part of an update that the next one repeats, from 0 to 1.
        nesterov: Whether to use Nesterov's momentum; without momentum it has no effect.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Keras, `SGD`; Sutskever et al., "On the importance of initialization and momentum in
    deep learning" (2013), for the momentum.

    >>> optimizer = SGD(0.1, momentum=0.9)
    >>> params = {"w": jnp.array([1.0, 2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> updates["w"]
    Array([-0.1, -0.2], dtype=float32)
    """

    entrywise = True

    traceable_fields = frozenset({"momentum"})

    learning_rate: LearningRate = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def _check(self) -> None:
        self._check_number("momentum", 0.0, 1.0)
        one_of(type(self).__name__, "nesterov", self.nesterov, [False, True])

    def init_one(self, param: Array) -> Slots:
        """Return the velocity, `momentum`, if there is momentum."""
        return {"momentum": jnp.zeros_like(param)} if is_nonzero(self.momentum) else {}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next velocity."""
        if not is_nonzero(self.momentum):
            return -learning_rate * grad, slots
        velocity = self.momentum * slots["momentum"] - learning_rate * grad  # v = μ v - ε g
        if self.nesterov:
            return self.momentum * velocity - learning_rate * grad, {"momentum": velocity}
        return velocity, {"momentum": velocity}  # θ = θ + v
