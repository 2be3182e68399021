"""Adafactor."""

import jax.numpy as jnp

from fjax.errors import number_between, one_of
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.optimizers.rates import LearningRate
from fjax.typing import Array


class Adafactor(Optimizer):
    """Adam's division by mean squares, of which of a matrix only rows and columns are kept.

    For `n` times `m` weights the state holds `n + m` numbers. (Keras keeps the product, too; here
    it is made anew at each update, to the same numbers.)

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        beta_2_decay: The power of the step by which the means forget more slowly, less than 0.
        epsilon_1: Added to the squared gradient.
        epsilon_2: The least root mean square of a param that an update is scaled by.
        clip_threshold: The largest root mean square of an update before it is scaled.
        relative_step: Whether a fixed learning rate is bounded by one over the root of the step. As
            in Keras that bound holds in either case.

    The keyword arguments common to all are told at `Optimizer`, as are the errors.

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
        """Return the mean squares: `row` and `column` over the last two axes, else `velocity`."""
        if jnp.ndim(param) < 2:
            return {"velocity": jnp.zeros_like(param)}
        over_columns, over_rows = param[..., 0], param[..., 0, :]
        return {"row": jnp.zeros_like(over_columns), "column": jnp.zeros_like(over_rows)}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next means."""
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
