"""Adam."""

import jax.numpy as jnp

from fjax.errors import one_of
from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class Adam(Optimizer):
    """Gradient descent by moving averages of the gradient and of its square.

    The formula is the efficient form at the end of the paper's section 2: both bias corrections are
    in the step size, so that `epsilon` is the paper's "epsilon hat".

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        beta_1: The decay of the gradient's moving average, in [0, 1).
        beta_2: The decay of the squared gradient's moving average, in [0, 1).
        epsilon: Added to the root of the squared gradient's average.
        amsgrad: Whether to divide by the largest average of squares so far.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015); Reddi et al., "On
    the Convergence of Adam and Beyond" (2018), for `amsgrad`; Keras, `Adam`.

    >>> optimizer = Adam(0.1)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> [round(update, 4) for update in updates["w"].tolist()]
    [-0.1, 0.1]
    """

    entrywise = True

    separate_slots = frozenset({"velocity_hat"})

    traceable_fields = frozenset({"beta_1", "beta_2", "epsilon"})

    learning_rate: LearningRate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    amsgrad: bool = False

    def _check(self) -> None:
        self._check_number("beta_1", 0.0, 1.0, open_high=True)
        self._check_number("beta_2", 0.0, 1.0, open_high=True)
        self._check_number("epsilon", 0.0)
        one_of(type(self).__name__, "amsgrad", self.amsgrad, [False, True])

    def init_one(self, param: Array) -> Slots:
        """Return the averages `momentum` and `velocity`, and `velocity_hat` for AMSGrad."""
        slots = {"momentum": jnp.zeros_like(param), "velocity": jnp.zeros_like(param)}
        if self.amsgrad:
            slots["velocity_hat"] = jnp.zeros_like(param)
        return slots

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next averages."""
        t = step.astype(jnp.float32)
        correction = jnp.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        alpha = learning_rate * correction  # alpha_t = alpha √(1 - β₂ᵗ) / (1 - β₁ᵗ)
        m, v = slots["momentum"], slots["velocity"]
        m = m + (1 - self.beta_1) * (grad - m)  # m = β₁ m + (1 - β₁) g
        v = v + (1 - self.beta_2) * (jnp.square(grad) - v)  # v = β₂ v + (1 - β₂) g²
        new_slots = {"momentum": m, "velocity": v}
        if self.amsgrad:
            v = jnp.maximum(slots["velocity_hat"], v)  # v̂ = max(v̂, v)
            new_slots["velocity_hat"] = v
        update = -alpha * m / (jnp.sqrt(v) + self.epsilon)  # Δθ = -alpha_t m / (√v + ε̂)
        return update, new_slots
