"""Keras's stateful functions of an optimizer."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import jax.numpy as jnp
import numpy as np

from fjax.configuration import SEALED, snake_case, stored
from fjax.errors import is_number
from fjax.optimizers.optimizer_variables import OptimizerVariables, schedule_error
from fjax.optimizers.state_layout import ITERATION, LEARNING_RATE, Path, StateEntry
from fjax.typing import Array, Spec
from fjax.variable import Variable

# The attribute with the variables of an optimizer, which no copy and no configuration has.
VARIABLES = "_optimizer_variables"


class _ShownRate:
    """The attribute `learning_rate`: the stored number as one that can be assigned."""

    def __get__(self, optimizer: Any, owner: type | None = None) -> Any:
        if optimizer is None or optimizer.rate_field not in vars(optimizer):
            # A class without a default has no such attribute.
            raise AttributeError("learning_rate")
        rate = optimizer.schedule
        # During the construction, the number itself is checked.
        if not vars(optimizer).keys() & {SEALED, VARIABLES}:
            return rate
        # The state of the optimizer of a compiled model exists when the model is built.
        held = vars(optimizer).get(VARIABLES)
        return (
            rate if held is not None and not held.exists else optimizer.in_variables.learning_rate
        )

    def __set__(self, optimizer: Any, value: Any) -> None:
        vars(optimizer)["learning_rate"] = value


class StatefulOptimizer:
    """Keras's functions of an optimizer that has its state in variables.

    The variables belong to the object, and not to its configuration: they are in no copy, file,
    comparison or compiled program. `init` and `update` do not know of them. The variables of the
    optimizer of a compiled model read and write the model's train state.
    """

    # Slots whose variables are listed after those of all params.
    separate_slots: ClassVar[frozenset[str]] = frozenset()
    # Slots with one value for all params, which is one variable.
    shared_slots: ClassVar[frozenset[str]] = frozenset()
    # Slots that have the other sign in Keras's files.
    keras_negative_slots: ClassVar[frozenset[str]] = frozenset()

    # The field that has the learning rate, itself or in an optimizer.
    rate_field: ClassVar[str] = "learning_rate"

    learning_rate: Any = _ShownRate()
    name: str | None
    has_own_init: ClassVar[bool]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # The default is in the field; as an attribute it would hide the one of this class.
        if "learning_rate" in cls.__dict__:
            del cls.learning_rate

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "learning_rate" and vars(self).keys() & {SEALED, VARIABLES}:
            if self.has_schedule:
                raise schedule_error(self.schedule)
            self.in_variables.assign_rate(value)
            return
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != VARIABLES}

    @property
    def in_variables(self) -> OptimizerVariables:
        """The state in variables; before `build`, the iteration and the learning rate."""
        if VARIABLES not in vars(self):
            self.use_variables(OptimizerVariables.built_for(self, []))
        variables: OptimizerVariables = vars(self)[VARIABLES].in_variables
        return variables

    def use_variables(self, holder: Any) -> None:
        """Use the variables in the attribute `in_variables` of an object for the state."""
        vars(self)[VARIABLES] = holder

    def with_shown_rate(self) -> Self:
        """Return an optimizer that begins with the learning rate that was assigned to this one."""
        # A float of Python has more digits than the state.
        if self.has_schedule or np.float32(self.learning_rate) == np.float32(self.schedule):
            return self
        return self.with_rate(float(self.learning_rate))

    def with_rate(self, rate: float) -> Self:
        """Return a copy with another configured learning rate."""
        duplicate = copy.copy(self)
        vars(duplicate)["learning_rate"] = rate
        return duplicate

    @property
    def reads_rate_from_state(self) -> bool:
        """Whether `update` uses a numeric learning rate only as a leaf of the state."""
        return not self.has_own_init and is_number(self.schedule)

    @property
    def shown_name(self) -> str:
        """The name, by default that of the class in snake case."""
        return self.name or snake_case(type(self).__name__)

    @property
    def has_schedule(self) -> bool:
        """Whether the learning rate is a schedule or a function."""
        return callable(self.schedule)

    @property
    def schedule(self) -> Any:
        """The configured learning rate: a number, a schedule or a function."""
        return stored(self, "learning_rate")

    @property
    def common_slots(self) -> list[str]:
        """The slots that each param has for any rule, such as its average."""
        return []

    def rate_at(self, step: Array) -> Array:
        """Return the configured rate after `step` updates."""
        return jnp.asarray(self.schedule(step) if self.has_schedule else self.schedule, jnp.float32)

    def state_entry(
        self, path: tuple[Any, ...], state: Any, params: Mapping[Path, Spec]
    ) -> StateEntry:
        """Return what a leaf of the state is; see `StateLayout`.

        In Keras's order, the slots of a param are beside each other, except those of
        `separate_slots`, which come after those of all params.
        """
        field, prefix = path[0].name, self.shown_name
        if field == "step":
            return StateEntry((0,), ITERATION, prefix, *ITERATION)
        if field == "learning_rate":
            schedule = self.rate_at if self.has_schedule else None
            return StateEntry((1,), LEARNING_RATE, prefix, *LEARNING_RATE, schedule=schedule)
        slot, param = path[1].key, tuple(key.key for key in path[2:])
        order, rank = list(state.slots).index(slot), list(params).index(param)
        if slot in self.shared_slots:
            return StateEntry((4, order, rank), (slot,), prefix, slot)
        group = order if slot in self.separate_slots else 0
        is_common = slot in self.common_slots
        position = (2, order, rank) if is_common else (3, group, rank, order)
        return StateEntry(position, (*param, slot), prefix, slot, param)

    @property
    def built(self) -> bool:
        """Whether `build` was called."""
        held = vars(self).get(VARIABLES)
        return held is not None and held.exists and held.in_variables.is_built

    @property
    def variables(self) -> list[Variable]:
        """The state: the iteration, the learning rate, and the slots of each variable."""
        return list(self.in_variables.variables)

    @property
    def iterations(self) -> Any:
        """The number of updates, a variable."""
        return self.in_variables.iterations

    def build(self, variables: Sequence[Any]) -> None:
        """Create the state for these variables; a second call does nothing.

        Args:
            variables: The trainable variables, as `model.trainable_variables`.

        >>> from fjax.optimizers.adam import Adam
        >>> optimizer, weight = Adam(), Variable(1.0, name="weight")
        >>> optimizer.build([weight])
        >>> [variable.name for variable in optimizer.variables]
        ['iteration', 'learning_rate', 'weight_momentum', 'weight_velocity']
        """
        if not isinstance(variables, list | tuple) or not variables:
            raise ValueError(
                f"`{type(self).__name__}.build` takes a list of variables, such as "
                f"`model.trainable_variables`, received {variables!r}."
            )
        if not self.built:
            known = self.in_variables.by_key()
            self.use_variables(OptimizerVariables.built_for(self, variables, known))

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Update variables by their gradients.

        Args:
            grads: A gradient for each variable.
            trainable_variables: The variables; by default those of `build`. The first call builds
                the optimizer for them.

        Raises:
            TypeError: An entry of `trainable_variables` is not a `Variable`.
            ValueError: The numbers of gradients and variables differ, a variable is unknown, or
                the optimizer is not built.

        >>> from fjax.optimizers.sgd import SGD
        >>> weight = Variable(1.0, name="weight")
        >>> SGD(0.5).apply([1.0], [weight])
        >>> print(weight.numpy())
        0.5
        """
        if not self.built:
            if trainable_variables is None:
                raise self._not_built("apply")
            self.build([*trainable_variables])
        self.in_variables.update(grads, trainable_variables)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> Any:
        """Update variables by their gradients, given in pairs; return the number of updates.

        Args:
            grads_and_vars: Pairs of a gradient and a variable, `zip(grads, variables)`.
        """
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self.iterations

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Array], list[Array]]:
        """Return the trainable variables and the optimizer's variables after one update.

        It is pure: it takes and returns arrays, and works under `jit`, `grad`, `vmap` and `scan`.

        Args:
            optimizer_variables: The values of `variables`.
            grads: A gradient for each trainable variable.
            trainable_variables: The values of the variables of `build`.

        Raises:
            ValueError: The optimizer is not built, or a list has another length.

        Source: Keras, `Optimizer.stateless_apply`.

        >>> from fjax.optimizers.sgd import SGD
        >>> optimizer, weight = SGD(0.5), Variable(1.0, name="weight")
        >>> optimizer.build([weight])
        >>> params, state = optimizer.stateless_apply(optimizer.variables, [1.0], [weight.value])
        >>> print(params[0], weight.numpy())
        0.5 1.0
        """
        if not self.built:
            raise self._not_built("stateless_apply")
        return self.in_variables.stateless_apply(optimizer_variables, grads, trainable_variables)

    def _not_built(self, function: str) -> ValueError:
        return ValueError(
            f"`{type(self).__name__}.{function}`: the optimizer has no variables yet. Call "
            "`optimizer.build(model.trainable_variables)` first."
        )
