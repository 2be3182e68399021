"""An optimizer's state in variables, and Keras's functions that assign them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np

from fjax.errors import number_between
from fjax.optimizers.rate_value import shown_rate
from fjax.optimizers.state_layout import ITERATION, LEARNING_RATE, Path, StateLayout
from fjax.typing import Array
from fjax.variable import OwnStorage, Variable


class OptimizerVariables:
    """The state of an optimizer in variables.

    Args:
        layout: The order of the state.
        variables: The state, in this order.
        trainable: The variables that the optimizer updates.

    Attributes:
        layout: The order of the state.
        variables: The state.
        trainable: The variables that the optimizer updates.

    >>> from fjax.optimizers.sgd import SGD
    >>> weight = Variable(1.0, name="weight")
    >>> state = OptimizerVariables.built_for(SGD(0.5), [weight])
    >>> state.update([2.0])
    >>> float(weight), int(state.iterations)
    (0.0, 1)
    """

    def __init__(
        self, layout: StateLayout, variables: Sequence[Variable], trainable: Sequence[Variable]
    ) -> None:
        self.layout, self.variables, self.trainable = layout, list(variables), list(trainable)

    @classmethod
    def built_for(
        cls,
        optimizer: Any,
        trainable: Sequence[Any],
        known: Mapping[Path, Variable] = MappingProxyType({}),
    ) -> "OptimizerVariables":
        """Return new variables for the state of an optimizer.

        Args:
            optimizer: The optimizer.
            trainable: The variables that it will update, or arrays.
            known: The variables that exist already, such as the learning rate, by their keys.
        """
        values = [variable.value if isinstance(variable, Variable) else variable
                  for variable in trainable]  # fmt: skip
        layout = StateLayout(
            optimizer, _paths_of(trainable), [*map(_spec, values)], _constraints_of(trainable)
        )
        shown = [path_of(variable) for variable in trainable]
        arrays = zip(layout.keys, layout.names(shown), layout.init(values), strict=True)
        variables = [
            known[key] if key in known
            else Variable.linked(OwnStorage(value), name, value.shape, value.dtype, False)
            for key, name, value in arrays
        ]  # fmt: skip
        return cls(layout, variables, trainable)

    def by_key(self) -> dict[Path, Variable]:
        """Return the variables of the state by the keys of the layout."""
        return dict(zip(self.layout.keys, self.variables, strict=True))

    @property
    def in_variables(self) -> "OptimizerVariables":
        """Itself, as the optimizer of a compiled model has these variables in an attribute."""
        return self

    @property
    def exists(self) -> bool:
        """Whether the state exists."""
        return True

    @property
    def is_built(self) -> bool:
        """Whether it is known which variables the optimizer updates."""
        return bool(self.trainable)

    @property
    def iterations(self) -> Variable | None:
        """The number of updates; None if the state has no such number."""
        return self._find(ITERATION)

    @property
    def learning_rate(self) -> Any:
        """The learning rate, a float that can be assigned; None if the state has none.

        Of a schedule it is the rate of the next update.
        """
        variable, optimizer = self._find(LEARNING_RATE), self.layout.optimizer
        if variable is not None:
            return shown_rate(lambda: variable.value, self.assign_rate)
        if not isinstance(optimizer, HasSchedule) or self.iterations is None:
            return None
        iterations = self.iterations
        return shown_rate(lambda: optimizer.rate_at(iterations.value), self.assign_rate)

    def assign_rate(self, value: Any) -> Array:
        """Set the learning rate, and return it.

        Raises:
            TypeError: The rate follows a schedule or a function, or it is not a number.
            ValueError: It is negative.
        """
        optimizer: Any = self.layout.optimizer
        variable = self._find(LEARNING_RATE)
        if variable is None:
            raise schedule_error(optimizer.schedule)
        value = getattr(value, "value", value)
        if isinstance(value, jax.core.Tracer):
            return variable.assign(value)
        rate = np.asarray(value).item()
        return variable.assign(number_between("optimizer", "learning_rate", rate, 0.0))

    def update(
        self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None
    ) -> None:
        """Update the trainable variables, or some of them, and the state.

        Raises:
            TypeError: An entry of `trainable_variables` cannot be assigned.
            ValueError: The numbers of gradients and variables differ, or a variable is unknown.
        """
        trainable = self.trainable if trainable_variables is None else [*trainable_variables]
        layout = self._layout_of(trainable)
        by_key = self.by_key()
        state = [by_key[key] for key in layout.keys]
        new_params, new_state = layout.update(state, [*grads], trainable)
        for variable, value in zip([*trainable, *state], [*new_params, *new_state], strict=True):
            variable.assign(value)

    def stateless_apply(
        self, optimizer_variables: Any, grads: Any, trainable_variables: Any
    ) -> tuple[list[Array], list[Array]]:
        """Return the params and the state after one update; it is pure.

        Raises:
            ValueError: A list has another length, or a gradient is None.
        """
        return self.layout.update(optimizer_variables, grads, trainable_variables)

    def _find(self, key: Path) -> Variable | None:
        return self.by_key().get(key)

    def _layout_of(self, trainable: Sequence[Any]) -> StateLayout:
        optimizer = self.layout.optimizer
        positions = {id(variable): index for index, variable in enumerate(self.trainable)}
        for variable in trainable:
            if not isinstance(variable, Variable):
                raise TypeError(
                    f"`{type(optimizer).__name__}.apply` assigns `Variable`s, received "
                    f"{type(variable).__name__}. For arrays use the pure `optimizer."
                    "stateless_apply(optimizer_variables, grads, trainable_variables)`."
                )
            if id(variable) not in positions:
                raise ValueError(
                    f"`{type(optimizer).__name__}.apply`: unknown variable {variable.path!r}; the "
                    f"optimizer was built for {[known.path for known in self.trainable]}. Call "
                    "`optimizer.build(variables)` with all variables before the first update."
                )
        if [*map(id, trainable)] == [*positions]:
            return self.layout
        paths = [self.layout.paths[positions[id(variable)]] for variable in trainable]
        specs = [_spec(variable.value) for variable in trainable]
        return StateLayout(optimizer, paths, specs, _constraints_of(trainable))


def schedule_error(rate: Any) -> TypeError:
    """Return the error for a learning rate that follows a schedule and is assigned."""
    return TypeError(
        f"The learning rate follows the schedule {rate!r} and cannot be set: "
        "compile with a number as learning rate."
    )


@runtime_checkable
class HasSchedule(Protocol):
    """An optimizer that computes its learning rate from the number of updates."""

    def rate_at(self, step: Array) -> Array:
        """Return the configured rate after `step` updates."""
        ...


def path_of(variable: Any) -> str:
    """Return the path of a variable; an array has none and is called "variable"."""
    return variable.path if isinstance(variable, Variable) else "variable"


def _paths_of(variables: Sequence[Any]) -> list[Path]:
    """Return a path for each variable: its own, or with its position if these are not unique."""
    names = [path_of(variable) for variable in variables]
    is_unique = len(set(names)) == len(names) and not any(
        other.startswith(f"{name}/") for name in names for other in names
    )
    paths = [tuple(name.split("/")) for name in names]
    return paths if is_unique else [(*path, str(i)) for i, path in enumerate(paths)]


def _constraints_of(variables: Sequence[Any]) -> list[Any]:
    return [getattr(variable, "constraint", None) for variable in variables]


def _spec(value: Any) -> Any:
    return jax.ShapeDtypeStruct(value.shape, value.dtype)
