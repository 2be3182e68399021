"""RMSprop."""

import jax.numpy as jnp

from fjax.configuration import is_nonzero
from fjax.errors import one_of
from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class RMSprop(Optimizer):
    """Gradient descent divided by the root of a moving average of squared gradients.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        rho: The decay of the moving averages, in [0, 1).
        momentum: The part of an update that the next one repeats, from 0 to 1.
        epsilon: Added to the average of squares, inside the root.
        centered: Whether to divide by the root of the variance instead.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Keras, `RMSprop`; Tieleman and Hinton, "Neural Networks for Machine Learning", lecture
    6.5 (2012); Graves, "Generating Sequences With Recurrent Neural Networks" (2013), for
    `centered`.

    >>> optimizer = RMSprop(0.1)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> updates["w"].round(4)
    Array([-0.3162,  0.3162], dtype=float32)
    """

    entrywise = True

    separate_slots = frozenset({"momentum", "average_gradient"})
    keras_negative_slots = frozenset({"momentum"})

    traceable_fields = frozenset({"rho", "momentum", "epsilon"})

    learning_rate: LearningRate = 0.001
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False

    def _check(self) -> None:
        self._check_number("rho", 0.0, 1.0, open_high=True)
        self._check_number("momentum", 0.0, 1.0)
        self._check_number("epsilon", 0.0)
        one_of(type(self).__name__, "centered", self.centered, [False, True])

    def init_one(self, param: Array) -> Slots:
        """Return `velocity`, the average of squares; `momentum` and `average_gradient` if used."""
        slots = {"velocity": jnp.zeros_like(param)}
        if is_nonzero(self.momentum):
            slots["momentum"] = jnp.zeros_like(param)
        if self.centered:
            slots["average_gradient"] = jnp.zeros_like(param)
        return slots

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next slots."""
        rho = self.rho
        square = rho * slots["velocity"] + (1 - rho) * jnp.square(grad)  # n = rho n + (1 - rho) g²
        new_slots, divisor = {"velocity": square}, square
        if self.centered:
            mean = rho * slots["average_gradient"] + (1 - rho) * grad  # a = rho a + (1 - rho) g
            new_slots["average_gradient"] = mean
            divisor = square - jnp.square(mean)  # n - a²
        update = -learning_rate * grad / jnp.sqrt(divisor + self.epsilon)  # Δ = -η g / √(n + ε)
        if is_nonzero(self.momentum):
            update = self.momentum * slots["momentum"] + update  # Δ = μ Δ - η g / √(n + ε)
            new_slots["momentum"] = update
        return update, new_slots
