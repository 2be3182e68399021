"""The scopes in which a model's steps and its `compute_loss` run."""

from collections.abc import Iterable, Sequence
from typing import Any

import jax

from fjax.typing import Array, Key
from fjax.variable import StatelessScope, Variable, current_scope


class StepScope(StatelessScope):
    """A scope with a key: calls of layers and `SeedGenerator`s in it draw other numbers each time.

    Args:
        state_mapping: Pairs of a variable and its value in the scope.
        key: The key of the step; by default, keys are those of the scope around this one.
    """

    def __init__(
        self, state_mapping: Iterable[tuple[Variable, Any]] = (), key: Key | None = None
    ) -> None:
        super().__init__(state_mapping)
        self._around = current_scope()
        self._key = key
        self._draws = 0

    def next_key(self) -> Key | None:
        """Return a new key at each call, or None if the step has none."""
        if self._key is None:
            return None if self._around is None else self._around.next_key()
        self._draws += 1
        return jax.random.fold_in(self._key, self._draws)


class WholeStepScope(StepScope):
    """The scope of a subclass's whole step, with the values of all variables before the step.

    A weight that the step trains has no value in it, because gradients would not reach the weight.

    Args:
        state_mapping: Pairs of a variable and its value.
        key: The key of the step.
        trained: The variables that the step trains.
        label: The name of the step, for errors.
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]],
        key: Key | None,
        trained: Sequence[Variable],
        label: str,
    ) -> None:
        super().__init__(state_mapping, key)
        self._trained = {id(variable) for variable in trained}
        self._label = label

    def get_current_value(self, variable: Variable) -> Array | None:
        """Return the value of a variable in this scope, or None if the scope has none.

        Raises:
            TypeError: The step trains the variable.
        """
        if id(variable) in self._trained:
            raise TypeError(
                f"`{self._label}` used the weight {variable.path!r}, which it trains, outside of "
                "`self.stateless_call(trainable_variables, non_trainable_variables, x)`, so that "
                "gradients would not reach it. Call the model by `self.stateless_call`, override "
                "`compute_loss` instead, or freeze the layer before `compile`: `layer.trainable = "
                "False`."
            )
        return super().get_current_value(variable)

    def assign(self, variable: Variable, value: Array) -> None:
        """Raise RuntimeError: a step returns its next values, and the scope is left behind."""
        raise RuntimeError(
            f"`{self._label}` assigned the variable {variable.path!r}, by `assign` or by a call "
            "with `training=True`. A step is pure: return the next value in its state, as by "
            "`self.stateless_call(…)` and `metric.stateless_update_state(…)`."
        )
