"""One member of a population, before and while it is trained."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fjax.optimizers import OptimizerState
from fjax.training import TrainState
from fjax.training.population import Parts
from fjax.typing import PyTree


class Member(NamedTuple):
    """What one member is trained from.

    Attributes:
        parts: Its network, loss and optimizer.
        specs: The network's inputs.
        seed: Draws the weights, the order of the rows, and all that training draws.
        rows: The rows of the data to train on.
        validation_rows: The rows to validate on after each epoch; None, for all members, for none.
        train_state: Where to begin; None draws the weights.
    """

    parts: Parts
    specs: tuple[PyTree, ...]
    seed: int
    rows: np.ndarray
    validation_rows: np.ndarray | None = None
    train_state: TrainState | None = None


def check_members(members: Sequence[Member], count: int) -> None:
    """Raise ValueError where members cannot be trained side by side on data of so many rows."""
    if not members:
        raise ValueError("A population needs at least one member.")
    for index, own in enumerate(members):
        for name in ("rows", "validation_rows"):
            rows = getattr(own, name)
            if rows is None:
                continue
            if len(rows) == 0 or np.min(rows) < 0 or np.max(rows) >= count:
                raise ValueError(
                    f"Member {index} of the population: `{name}` must be one or more of the rows 0 "
                    f"to {count - 1} of the data, received {rows!r}."
                )
    validated = [own.validation_rows is not None for own in members]
    if any(validated) and not all(validated):
        raise ValueError(
            "The members of a population are validated together or not at all: member "
            f"{validated.index(False)} has no `validation_rows`, and member "
            f"{validated.index(True)} has."
        )


class MemberView:
    """What a callback finds in the place of its model, where it steers one member alone.

    Attributes:
        stop_training: Whether the member is trained on.
        train_state: The member's train state, as one of a single run; it may be assigned.
    """

    def __init__(self, read: Callable[[], TrainState], write: Callable[[TrainState], None]) -> None:
        self.stop_training = False
        self.optimizer = _MemberOptimizer(self)
        self._read, self._write = read, write

    @property
    def train_state(self) -> TrainState:
        """The member's train state."""
        return self._read()

    @train_state.setter
    def train_state(self, value: TrainState) -> None:
        self._write(value)

    def get_weights(self) -> list[np.ndarray]:
        """Return what `set_weights` takes: the arrays of params and state."""
        held = self.train_state
        return jax.tree.leaves((held.params, held.state))

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Put arrays in the place of params and state."""
        held = self.train_state
        structure = jax.tree.structure((held.params, held.state))
        params, state = jax.tree.unflatten(structure, weights)
        self.train_state = held._replace(params=params, state=state)


class _MemberOptimizer:
    """The member's learning rate, as a model's optimizer has it."""

    def __init__(self, view: MemberView) -> None:
        self._view = view

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(self._state().learning_rate)

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        held, state = self._view.train_state, self._state()
        self._view.train_state = held._replace(
            opt_state=state._replace(learning_rate=jnp.float32(rate))
        )

    def _state(self) -> OptimizerState:
        state: Any = self._view.train_state.opt_state
        if not hasattr(state, "learning_rate"):
            raise TypeError(
                "The optimizer's state has no leaf `learning_rate`: use one of `fjax.optimizers`."
            )
        return state
