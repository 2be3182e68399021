"""Muon."""

from collections.abc import Sequence
from dataclasses import field

import jax.numpy as jnp

from fjax.errors import integer_at_least, number_between, one_of
from fjax.optimizers.adam import Adam
from fjax.optimizers.learning_rate import LearningRate
from fjax.optimizers.optimizer import Optimizer, Slots
from fjax.optimizers.patterns import check_patterns, matches
from fjax.typing import Array


class Muon(Optimizer):
    """Orthogonalized momentum for matrices, and AdamW for all other params.

    Matrices are params with two axes. Embeddings and the last layer should be trained by AdamW too.
    Embeddings are by default; name the last layer in `exclude_layers`, by its path in the params,
    such as "dense_2/kernel".

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        adam_beta_1: As `beta_1` in `Adam`.
        adam_beta_2: As `beta_2` in `Adam`.
        adam_weight_decay: The weight decay of the params trained by AdamW; None means no decay.
        epsilon: As in `Adam`.
        weight_decay: The weight decay of the matrices; None means no decay.
        exclude_layers: Regular expressions; AdamW trains matrices whose path contains a match.
        exclude_embeddings: Whether AdamW trains matrices with "embedding" in their path.
        muon_a: The first coefficient of the Newton-Schulz iteration.
        muon_b: The second coefficient.
        muon_c: The third coefficient.
        adam_lr_ratio: AdamW's learning rate, as a multiple of `learning_rate`.
        momentum: The decay of the momentum, from 0 to 1.
        ns_steps: The number of iterations that orthogonalize a matrix, at least 1.
        nesterov: Whether to use Nesterov's momentum.
        rms_rate: The root mean square that a matrix's update is scaled to; None means no scaling.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024); Liu et
    al., "Muon is Scalable for LLM Training" (2025), for `rms_rate`; Keras, `Muon`.

    >>> optimizer = Muon(0.1, exclude_layers=["output"])
    >>> params = {"dense": {"kernel": jnp.eye(2)}, "output": {"kernel": jnp.eye(2)}}
    >>> opt_state = optimizer.init(params)
    >>> opt_state.slots["velocity"]
    {'dense': {'kernel': None}, 'output': {'kernel': Array([[0., 0.],
           [0., 0.]], dtype=float32)}}
    """

    learning_rate: LearningRate = 0.001
    adam_beta_1: float = 0.9
    adam_beta_2: float = 0.999
    adam_weight_decay: float | None = 0.004
    epsilon: float = 1e-7
    weight_decay: float | None = 0.004
    exclude_layers: Sequence[str] = field(default=(), kw_only=True)
    exclude_embeddings: bool = field(default=True, kw_only=True)
    muon_a: float = field(default=3.4445, kw_only=True)
    muon_b: float = field(default=-4.775, kw_only=True)
    muon_c: float = field(default=2.0315, kw_only=True)
    adam_lr_ratio: float = field(default=1.0, kw_only=True)
    momentum: float = field(default=0.95, kw_only=True)
    ns_steps: int = field(default=5, kw_only=True)
    nesterov: bool = field(default=True, kw_only=True)
    rms_rate: float | None = field(default=0.2, kw_only=True)

    def _check(self) -> None:
        owner = type(self).__name__
        self.exclude_layers = check_patterns(owner, "exclude_layers", self.exclude_layers)
        one_of(owner, "exclude_embeddings", self.exclude_embeddings, [False, True])
        one_of(owner, "nesterov", self.nesterov, [False, True])
        for argument in ("adam_beta_1", "adam_beta_2"):
            self._check_number(argument, 0.0, 1.0, open_high=True)
        for argument in ("epsilon", "adam_lr_ratio"):
            self._check_number(argument, 0.0)
        for argument in ("adam_weight_decay", "rms_rate"):
            if getattr(self, argument) is not None:
                self._check_number(argument, 0.0)
        for argument in ("muon_a", "muon_b", "muon_c"):
            number_between(owner, argument, getattr(self, argument), float("-inf"))
        self._check_number("momentum", 0.0, 1.0)
        integer_at_least(owner, "ns_steps", self.ns_steps, 1)

    def init_at(self, path: str, param: Array) -> Slots:
        """Return `momentum`, and `velocity` for a param trained by AdamW."""
        if self._is_matrix(path, param):
            return {"momentum": jnp.zeros_like(param)}
        return self._adam().init_one(param)

    def decay_at(self, path: str, param: Array) -> float | None:
        """Return the weight decay of a matrix, or of a param trained by AdamW."""
        if self._is_matrix(path, param):
            return super().decay_at(path, param)
        return None if matches(self.exclude_from_weight_decay, path) else self.adam_weight_decay

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update and the next slots; params with a velocity are trained by AdamW."""
        if "velocity" in slots:
            rate = learning_rate * self.adam_lr_ratio
            return self._adam().update_one(grad, slots, param, rate, step)
        m = self.momentum * slots["momentum"] + grad  # m = μ m + g
        direction = self._orthogonalize(grad + self.momentum * m if self.nesterov else m)
        update = -learning_rate * direction
        if self.rms_rate is not None:
            update = update * self.rms_rate * max(param.shape) ** 0.5
        return update, {"momentum": m}

    def _is_matrix(self, path: str, param: Array) -> bool:
        if jnp.ndim(param) != 2 or matches(self.exclude_layers, path):
            return False
        return not (self.exclude_embeddings and "embedding" in path.lower())

    def _adam(self) -> Adam:
        return Adam(beta_1=self.adam_beta_1, beta_2=self.adam_beta_2, epsilon=self.epsilon)

    def _orthogonalize(self, x: Array) -> Array:
        """Return the matrix with singular values near 1, by a Newton-Schulz iteration."""
        rows, columns = x.shape
        if rows > columns:
            return self._orthogonalize(x.T).T
        x = x / (jnp.sqrt(jnp.sum(jnp.square(x))) + 1e-7)
        for _ in range(self.ns_steps):
            gram = x @ x.T
            # X = a X + (b X Xᵀ + c (X Xᵀ)²) X
            x = self.muon_a * x + (self.muon_b * gram + self.muon_c * gram @ gram) @ x
        return x
