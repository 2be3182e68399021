"""Callbacks of one member: which can be copied for each member, and the model that they see."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.callbacks import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from fjax.training import TrainState
from fjax.typing import HasLearningRate

# They need the logs, the weights and the learning rate of one member only.
PER_MEMBER = (EarlyStopping, LearningRateScheduler, ReduceLROnPlateau)


class MemberView:
    """The `model` of a callback that belongs to one member.

    Args:
        optimizer: The optimizer of the member.
        read: Returns the train state of the member.
        write: Replaces it.

    Attributes:
        stop_training: Whether the callback has stopped the training of the member.
        optimizer: Has the learning rate of the member.
    """

    def __init__(
        self,
        optimizer: Any,
        read: Callable[[], TrainState],
        write: Callable[[TrainState], None],
    ) -> None:
        self.stop_training = False
        self.optimizer = _MemberOptimizer(self, getattr(optimizer, "schedule", None))
        self._read, self._write = read, write

    @property
    def train_state(self) -> TrainState:
        """The train state of the member, which may be assigned."""
        return self._read()

    @train_state.setter
    def train_state(self, value: TrainState) -> None:
        self._write(value)

    def get_weights(self) -> list[np.ndarray]:
        """Return the arrays of params and state, as `set_weights` takes them."""
        current = self.train_state
        return jax.tree.leaves((current.params, current.state))

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Replace the arrays of params and state."""
        current = self.train_state
        structure = jax.tree.structure((current.params, current.state))
        params, state = jax.tree.unflatten(structure, weights)
        self.train_state = current._replace(params=params, state=state)


class _MemberOptimizer:
    """The learning rate of a member, as the optimizer of a model has it."""

    def __init__(self, view: MemberView, schedule: Any) -> None:
        self._view, self._schedule = view, schedule

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self._opt_state().learning_rate)

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        if callable(self._schedule):
            raise TypeError(
                f"The learning rate follows the schedule {self._schedule!r} and cannot be set: "
                "compile with a number as learning rate."
            )
        opt_state = self._opt_state()._replace(learning_rate=jnp.float32(rate))
        self._view.train_state = self._view.train_state._replace(opt_state=opt_state)

    def _opt_state(self) -> Any:
        opt_state = self._view.train_state.opt_state
        if not isinstance(opt_state, HasLearningRate):
            raise TypeError(
                "The optimizer's state has no leaf `learning_rate`: use one of `fjax.optimizers`."
            )
        return opt_state
