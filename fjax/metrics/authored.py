"""Metrics that an author writes with variables, as in Keras: their pure functions.

A class that defines `update_state(self, …)`, `reset_state(self)` or `result(self)` changes
variables. Run in a scope in which the variables have the values of an accumulator, these methods
are pure functions of it: `init`, `update` and `result`.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import numpy as np

from fjax.typing import Array, ArrayLike
from fjax.variable import StatelessScope


def prepare_class(cls: Any, base: Any) -> None:
    """Give a metric's class the pure functions of its stateful methods.

    Args:
        cls: The class.
        base: `Metric`.
    """
    if cls.result is not base.result and not hasattr(cls.result, "takes_stored"):
        cls.result = _prepared_result(cls.result)
    stateful = [_depth(cls, "update_state"), _depth(cls, "reset_state")]
    if getattr(cls.result, "is_stateful", False):
        stateful.append(_depth(cls, "result"))
    # A pure function that the class or a class between defines is left as it is.
    extended = False
    for name, function in DERIVED.items():
        if min(stateful) < _depth(cls, name):
            setattr(cls, name, function)
            extended = True
    if extended and not getattr(cls.result, "is_stateful", False):
        cls.result = _stateful_result(cls.result)


def pure_function(cls: type, name: str) -> Callable[..., Any]:
    """Return the `init` or `update` that a class defines as a pure function, or inherits."""
    found = (vars(base).get(name) for base in cls.__mro__)
    return next(function for function in found if function not in (None, DERIVED[name]))


def _derived_init(self: Any, y_true: Any = None, y_pred: Any = None) -> dict[str, np.ndarray]:
    """Return the values of the variables after `reset_state`."""
    self.stored_accumulator(y_true, y_pred)
    with jax.ensure_compile_time_eval(), StatelessScope():
        self.reset_state()
        return {name: np.asarray(value) for name, value in _values(self).items()}


def _derived_update(
    self: Any,
    accumulator: Mapping[str, ArrayLike],
    *batch: Any,
    sample_weight: ArrayLike | None = None,
) -> dict[str, Array]:
    """Return the values of the variables after `update_state`.

    Raises:
        TypeError: There are weights, and `update_state` does not take `sample_weight`.
        ValueError: `update_state` makes variables, or changes one that `reset_state` does not.
    """
    inputs, weights = batch[:2], batch[2:]
    weight = weights[0] if weights else sample_weight
    options = {} if weight is None else {"sample_weight": weight}
    if options:
        _check_takes_weights(self)
    with _scope_of(self, accumulator):
        before = _values(self)
        self.update_state(*inputs, **options)
        updated = _values(self)
    made = [name for name in updated if name not in before]
    if made:
        raise ValueError(
            f"`{type(self).__name__}.update_state` makes the variable {made[0]!r}: make all "
            "variables in `__init__`, as with `self.add_weight`."
        )
    _check_reset(self, [name for name in before if updated[name] is not before[name]])
    return updated


# The functions that a class with stateful methods gets.
DERIVED: Mapping[str, Callable[..., Any]] = {"init": _derived_init, "update": _derived_update}


def _prepared_result(function: Callable[..., Any]) -> Callable[..., Any]:
    parameters = [*inspect.signature(function).parameters.values()][1:]
    needed = [p for p in parameters if p.default is p.empty or p.name == "accumulator"]
    return _pure_result(function) if needed else _stateful_result(function)


def _pure_result(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `result` of an accumulator, by default of the stored one."""

    @functools.wraps(function)
    def result(self: Any, accumulator: Any = None) -> Any:
        if accumulator is None:
            accumulator = self.stored_accumulator().read()
        # Reloading the class replaces the function that is wrapped.
        return result.__wrapped__(self, accumulator)

    return _marked(result, "takes_stored")


def _stateful_result(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `result` of the variables, or of an accumulator with their values."""

    @functools.wraps(function)
    def result(self: Any, accumulator: Any = None) -> Any:
        scope: AbstractContextManager[Any] = (
            nullcontext() if accumulator is None else _scope_of(self, accumulator)
        )
        with scope:
            value = result.__wrapped__(self)
            # An author may return a variable itself.
            return jax.tree.map(lambda leaf: getattr(leaf, "value", leaf), value)

    return _marked(result, "takes_stored", "is_stateful")


def _marked(function: Any, *marks: str) -> Callable[..., Any]:
    vars(function).update(dict.fromkeys(marks, True))
    return function


def _scope_of(metric: Any, accumulator: Mapping[str, ArrayLike]) -> StatelessScope:
    """Return a scope in which the metric's variables have the values of an accumulator."""
    variables = metric.named_variables()
    if accumulator.keys() != variables.keys():
        raise ValueError(
            f"`{type(metric).__name__}` needs an accumulator with the entries {[*variables]}, as "
            f"`init` returns it, received {[*accumulator]}."
        )
    return StatelessScope((variables[name], value) for name, value in accumulator.items())


def _check_takes_weights(metric: Any) -> None:
    parameters = inspect.signature(metric.update_state).parameters.values()
    if not any(p.name == "sample_weight" or p.kind is p.VAR_KEYWORD for p in parameters):
        raise TypeError(
            f"`{type(metric).__name__}.update_state` takes no `sample_weight`, and there are "
            "weights, or a mask of the outputs: add the argument `sample_weight=None`."
        )


def _values(metric: Any) -> dict[str, Array]:
    return {name: variable.value for name, variable in metric.named_variables().items()}


def _check_reset(metric: Any, changed: list[str]) -> None:
    """Raise if `update_state` has changed a variable that `reset_state` does not assign."""
    with jax.ensure_compile_time_eval(), StatelessScope() as scope:
        metric.reset_state()
        variables = metric.named_variables()
        kept = [name for name in changed if scope.get_current_value(variables[name]) is None]
    if kept:
        raise ValueError(
            f"`{type(metric).__name__}.reset_state` leaves the variable {kept[0]!r} as it is, "
            "and `update_state` changes it: an epoch begins with the values that `reset_state` "
            "assigns, so assign all of them there."
        )


def _depth(cls: type, name: str) -> int:
    """Return how far up in the classes that `cls` extends an attribute is defined."""
    return next(depth for depth, base in enumerate(cls.__mro__) if name in vars(base))
