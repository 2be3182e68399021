"""Adafactor."""

import jax.numpy as jnp

from fjax.errors import number_between, one_of
from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.typing import Array


class Adafactor(Optimizer):
    """Adam with less memory: of squared gradients of matrices it stores row and column averages.

    For a matrix of `n` times `m` weights the state has `n + m` numbers. (Keras also stores the
    product of both, which here is recomputed at each update.)

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        beta_2_decay: At step t the decay of the averages is `1 - t**beta_2_decay`; below 0.
        epsilon_1: Added to the squared gradient.
        epsilon_2: Updates are scaled by a param's root mean square, or by this if that is smaller.
        clip_threshold: The largest root mean square of an update before it is scaled.
        relative_step: Whether the learning rate is at most one over the root of the step. As in
            Keras, it always is.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost"
    (2018); Keras, `Adafactor`.

    >>> optimizer = Adafactor(0.1)
    >>> params = {"w": jnp.ones((3, 2))}
    >>> opt_state = optimizer.init(params)
    >>> opt_state.slots["row"]["w"].shape, opt_state.slots["column"]["w"].shape
    ((3,), (2,))
    >>> updates, _ = optimizer.update(params, opt_state, params)
    >>> [round(update, 4) for update in updates["w"][0].tolist()]
    [-0.1, -0.1]
    """

    learning_rate: LearningRate = 0.001
    beta_2_decay: float = -0.8
    epsilon_1: float = 1e-30
    epsilon_2: float = 1e-3
    clip_threshold: float = 1.0
    relative_step: bool = True

    def _check(self) -> None:
        owner = type(self).__name__
        number_between(owner, "beta_2_decay", self.beta_2_decay, float("-inf"), 0.0, open_high=True)
        self._check_number("epsilon_1", 0.0)
        self._check_number("epsilon_2", 0.0)
        number_between(owner, "clip_threshold", self.clip_threshold, 0.0, open_low=True)
        one_of(owner, "relative_step", self.relative_step, [False, True])

    def init_one(self, param: Array) -> Slots:
        """Return averages of squares: `row` and `column` of the last two axes, or `velocity`."""
        if jnp.ndim(param) < 2:
            return {"velocity": jnp.zeros_like(param)}
        row, column = jnp.zeros_like(param[..., 0]), jnp.zeros_like(param[..., 0, :])
        return {"row": row, "column": column}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next averages."""
        t = step.astype(jnp.float32)
        rho = jnp.minimum(learning_rate, 1 / jnp.sqrt(t))  # rho = min(η, 1 / √t)
        alpha = jnp.maximum(self.epsilon_2, _rms(param)) * rho  # a = max(ε₂, rms(θ)) rho
        beta_2 = 1 - t**self.beta_2_decay
        squares = jnp.square(grad) + self.epsilon_1
        if jnp.ndim(param) < 2:
            v = beta_2 * slots["velocity"] + (1 - beta_2) * squares
            new_slots = {"velocity": v}
        else:
            r = beta_2 * slots["row"] + (1 - beta_2) * jnp.mean(squares, axis=-1)
            c = beta_2 * slots["column"] + (1 - beta_2) * jnp.mean(squares, axis=-2)
            new_slots = {"row": r, "column": c}
            r = r / jnp.mean(r, axis=-1, keepdims=True)
            v = r[..., None] * c[..., None, :]  # v = r c / mean(r)
        u = grad / jnp.sqrt(v)
        u = u / jnp.maximum(1.0, _rms(u) / self.clip_threshold)
        return -alpha * u, new_slots


def _rms(x: Array) -> Array:
    return jnp.sqrt(jnp.mean(jnp.square(x)))
