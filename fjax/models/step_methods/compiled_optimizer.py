"""The optimizer of a compiled model: its fields and its state in the model's train state."""

import copy
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.errors import number_between
from fjax.models.model_parts import ModelParts
from fjax.models.step_methods.stateless import optimized_variables
from fjax.models.weight_store import WeightStore
from fjax.optimizers import MultiOptimizer
from fjax.optimizers.optimizer_variables import OptimizerVariables, schedule_error
from fjax.optimizers.rate_value import RateValue
from fjax.optimizers.state_layout import StateLayout
from fjax.optimizers.stateful import StatefulOptimizer
from fjax.typing import Array, HasLearningRate, ScalesLoss
from fjax.variable import Variable


class _OptStateStorage:
    """Storage of a variable whose array is in the optimizer's state of a model."""

    def __init__(self, weights: WeightStore, layout: StateLayout, index: int) -> None:
        self.weights, self.layout, self.index = weights, layout, index

    def read(self) -> Array:
        """Return the array."""
        return self.layout.flatten(self.weights.train_state.opt_state)[self.index]

    def write(self, value: Array) -> None:
        """Replace the array by a copy of another one, since training donates the state."""
        train_state = self.weights.train_state
        opt_state = self.layout.replace(train_state.opt_state, self.index, jnp.copy(value))
        self.weights.adopt(train_state._replace(opt_state=opt_state))


def linked_variables(parts: ModelParts, optimizer: Any) -> OptimizerVariables:
    """Return the state of a compiled model's optimizer in variables, which read the model's.

    Args:
        parts: The model's parts.
        optimizer: Its optimizer.
    """
    paths, trainable = optimized_variables(parts)
    layout = StateLayout(
        optimizer,
        paths,
        [variable.spec for variable in trainable],
        [variable.constraint for variable in trainable],
    )
    names = layout.names([variable.path for variable in trainable])
    variables = [
        Variable.linked(
            _OptStateStorage(parts.weights, layout, index),
            name, spec.shape, spec.dtype, trainable=False,
        )
        for index, (name, spec) in enumerate(zip(names, layout.specs, strict=True))
    ]  # fmt: skip
    return OptimizerVariables(layout, variables, trainable)


class CompiledOptimizer:
    """The optimizer of a model: its fields, and its state in the model's train state.

    Source: Keras's page "Optimizers".

    >>> from fjax import Sequential
    >>> from fjax.layers import Dense, Input
    >>> model = Sequential([Input((2,)), Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> model.optimizer.learning_rate.assign(0.5)
    Array(0.5, dtype=float32)
    >>> model.optimizer.learning_rate / 2, model.optimizer.momentum
    (0.25, 0.0)
    """

    def __init__(self, parts: ModelParts, optimizer: Any) -> None:
        # Bypasses `__setattr__`, which raises for all attributes but the learning rate.
        self.__dict__.update(_parts=parts, optimizer=optimizer)

    def __getattr__(self, attribute: str) -> Any:
        # `copy` looks up attributes on an empty object.
        if "optimizer" not in self.__dict__:
            raise AttributeError(attribute)
        return getattr(self.__dict__["optimizer"], attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        if attribute == "lr":
            _warn_of_lr()
            attribute = "learning_rate"
        if attribute != "learning_rate":
            raise AttributeError(
                f"`{attribute}` of a model's optimizer cannot be set, only its `learning_rate`: "
                "call `compile` with another optimizer."
            )
        self._set_learning_rate(value)

    def __repr__(self) -> str:
        return repr(self.optimizer)

    @property
    def learning_rate(self) -> RateValue:
        """The learning rate of the next step, a float that can also be assigned.

        Setting it does not recompile anything.
        """
        self._require_rate()
        return RateValue(lambda: self._require_rate().learning_rate, self._set_learning_rate)

    @property
    def lr(self) -> RateValue:
        """The older spelling of `learning_rate`."""
        _warn_of_lr()
        return self.learning_rate

    @property
    def in_variables(self) -> OptimizerVariables:
        """The state in variables, which read and write the model's train state.

        Raises:
            ValueError: The input shape of the model is not known yet.
        """
        if self._parts.optimizer_variables is None:
            self._parts.optimizer_variables = linked_variables(self._parts, self.optimizer)
        return self._parts.optimizer_variables

    @property
    def optimizers(self) -> list[Any]:
        """The optimizers of a `MultiOptimizer`, with their parts of the state."""
        if not isinstance(self.optimizer, MultiOptimizer):
            raise AttributeError(f"{self.optimizer!r} has no `optimizers`: it is a single one.")
        optimizer = copy.copy(self.optimizer)
        optimizer.use_variables(self)
        optimizers: list[Any] = optimizer.optimizers
        return optimizers

    @property
    def variables(self) -> list[Variable]:
        """The state: the iteration, the learning rate, and the slots of each variable."""
        return list(self.in_variables.variables)

    @property
    def iterations(self) -> Any:
        """The number of updates, a variable; with gradient accumulation, an int."""
        every = getattr(self.optimizer, "gradient_accumulation_steps", None)
        iterations = self.in_variables.iterations
        if iterations is None:
            return int(self._parts.weights.train_state.step)
        return iterations if every is None else int(iterations) // every

    @property
    def exists(self) -> bool:
        """Whether the state exists; see `built`."""
        return self.built

    @property
    def built(self) -> bool:
        """Whether the state exists, as it does when the input shape of the model is known."""
        return self._parts.architecture.is_built

    def build(self, variables: Sequence[Any]) -> None:
        """Do nothing: the optimizer of a compiled model is built with the model."""

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Update variables of the model by their gradients; see `Optimizer.apply`."""
        self.in_variables.update(grads, trainable_variables)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> Any:
        """Update variables by pairs of gradient and variable; see `Optimizer.apply_gradients`."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self.iterations

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Array], list[Array]]:
        """Return the variables after one update; it is pure. See `Optimizer.stateless_apply`."""
        return self.in_variables.stateless_apply(optimizer_variables, grads, trainable_variables)

    def scale_loss(self, loss: Array, opt_state: Any = None) -> Array:
        """Return the loss whose gradients the optimizer expects.

        Args:
            loss: A scalar.
            opt_state: The optimizer's state; by default that of `variables`.

        Raises:
            TypeError: JAX traces the calling function, and the scale would be a constant in it.
        """
        if not isinstance(self.optimizer, ScalesLoss):
            return loss
        optimizer = self.optimizer
        if opt_state is None and isinstance(optimizer, StatefulOptimizer):
            optimizer = copy.copy(optimizer)
            optimizer.use_variables(self)
        return optimizer.scale_loss(loss, opt_state)

    def _require_rate(self) -> Any:
        if isinstance(self.optimizer, MultiOptimizer):
            raise TypeError(
                "A `MultiOptimizer` has no learning rate; each of its optimizers has one: "
                "`model.optimizer.optimizers[0].learning_rate`."
            )
        opt_state = self._parts.weights.train_state.opt_state
        if not isinstance(opt_state, HasLearningRate):
            raise TypeError(
                f"The optimizer {self.optimizer!r} has no learning rate in its state: use one of "
                "`fjax.optimizers`."
            )
        return opt_state

    def _set_learning_rate(self, value: Any) -> Array:
        opt_state = self._require_rate()
        if getattr(self.optimizer, "has_schedule", False):
            raise schedule_error(self.optimizer.schedule)
        rate = np.asarray(getattr(value, "value", value)).item()
        rate = np.float32(number_between("optimizer", "learning_rate", rate, 0.0))
        weights = self._parts.weights
        opt_state = opt_state._replace(learning_rate=rate)
        weights.adopt(weights.train_state._replace(opt_state=opt_state))
        return jnp.asarray(rate)


def _warn_of_lr() -> None:
    warnings.warn(
        "`optimizer.lr` is an older spelling of `optimizer.learning_rate`.",
        DeprecationWarning,
        stacklevel=3,
    )
