"""The base class of metrics, and functions of their accumulators."""

import contextlib
import copy
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from fjax.configuration import Configured, snake_case
from fjax.errors import one_of
from fjax.losses.loss import check_name
from fjax.losses.preparation import dtype_name
from fjax.metrics.authored import prepare_class, pure_function
from fjax.metrics.variables import AccumulatorVariables, unique_names, values_in
from fjax.typing import Array, ArrayLike, DType, Shape
from fjax.variable import OwnStorage, StatelessScope, Variable, current_scope

# Sums by name. Accumulators of two devices, or of two parts of the data, can be added.
Accumulator = Mapping[str, Any]

# The attributes of an object that hold the variables of its accumulator and those it has added.
STORED = "_stored_accumulator"
ADDED = "_added_variables"


class Metric(Configured):
    """Base class of metrics, as `keras.metrics.Metric`.

    A metric consists of three pure functions, which a subclass defines:

        accumulator = metric.init(y_true, y_pred)  # zeros; arrays, specs or no arguments
        accumulator = metric.update(accumulator, y_true, y_pred, sample_weight=None)
        value = metric.result(accumulator)

    An accumulator is a dict of float32 sums. Or a subclass is written as for Keras: `__init__`
    makes variables with `add_weight`, `update_state` assigns them, and `result` returns the value.
    Then the pure functions follow from these methods.

    A subclass may list fields, or define its own `__init__`.

    Every metric has Keras's stateful methods: `update_state(y_true, y_pred)`, `result()`,
    `reset_state()`, and calling the metric, which updates and returns the result. They keep the
    accumulator in `variables`, which are not part of the configuration. In a traced function
    `stateless_update_state` and `stateless_result` take and return the values of the variables.

    Args:
        name: The metric's key in logs; None means its class name in snake case.
        dtype: The dtype of the sums of a metric that is a sum or a mean, "float32" by default.

    Attributes:
        direction: "up" if larger values are better, "down" if smaller ones are, None if unknown.
            Callbacks with `mode="auto"` use it.

    Raises:
        TypeError: The name is not a string.
        ValueError: The dtype is unknown.

    >>> class Misses(Metric):
    ...     def init(self, y_true=None, y_pred=None):
    ...         return {"misses": np.zeros((), np.float32)}
    ...     def update(self, accumulator, y_true, y_pred, sample_weight=None):
    ...         return {"misses": accumulator["misses"] + (abs(y_true - y_pred) > 1).sum()}
    ...     def result(self, accumulator):
    ...         return accumulator["misses"]
    >>> metric = Misses()
    >>> metric.update_state([0.0, 0.0], [0.5, 2.0])
    >>> print(metric.name, metric.result())
    misses 1.0

    The same metric, written as for Keras:

    >>> class Misses(Metric):
    ...     def __init__(self, name="misses", **kwargs):
    ...         super().__init__(name=name, **kwargs)
    ...         self.count = self.add_weight(name="count", initializer="zeros")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.count.assign_add(jnp.sum(abs(y_true - y_pred) > 1))
    ...     def result(self):
    ...         return self.count.value
    >>> metric = Misses()
    >>> print(metric.update(metric.init(), jnp.zeros(2), jnp.array([0.5, 2.0]))["count"])
    1.0
    """

    direction: ClassVar[str | None] = None

    inherited_arguments: ClassVar[tuple[str, ...]] = ("name", "dtype")

    name: str | None = field(default=None, kw_only=True)
    dtype: str = field(default="float32", kw_only=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        prepare_class(cls, Metric)

    def __post_init__(self) -> None:
        """Check or set the name and the dtype."""
        check_name(type(self).__name__, self.name)
        if self.name is None:
            self.name = snake_case(type(self).__name__)
        self.dtype = dtype_name(type(self).__name__, self.dtype)

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return the accumulator before the first batch: numpy zeros.

        Args:
            y_true: Targets or their specs; needed if there is one sum for each output.
            y_pred: Predictions or their specs; likewise.
        """
        raise NotImplementedError(self._missing("init(self, y_true=None, y_pred=None)"))

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added to it.

        Args:
            accumulator: The result of `init` or of the previous `update`.
            y_true: Targets, `(batch, …)`.
            y_pred: Predictions, `(batch, …)`.
            sample_weight: A scalar or weights for leading axes, such as `(batch,)`.

        Raises:
            ValueError: The shapes do not fit each other.
        """
        raise NotImplementedError(
            self._missing("update(self, accumulator, y_true, y_pred, sample_weight=None)")
        )

    def result(self, *accumulator: Any, **named: Any) -> Any:
        """Return the value of an accumulator, by default of the one in the variables.

        A subclass defines `result(self, accumulator)`, or `result(self)` of its variables; this
        class adds the other form.
        """
        is_stateful = type(self).update_state is not Metric.update_state
        signature = "result(self)" if is_stateful else "result(self, accumulator)"
        raise NotImplementedError(self._missing(signature))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch to the variables; the arguments are those of `update`.

        Raises:
            TypeError: It is called inside a traced function, outside of a `StatelessScope`.
        """
        traced = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((args, kwargs)))
        if traced and current_scope() is None:
            raise TypeError(
                f"`{type(self).__name__}.update_state` changes the metric's variables, which a "
                f"traced function cannot do. Inside jit, grad or vmap use the pure `init`, "
                f"`update` and `result`, or `stateless_update_state`."
            )
        update = pure_function(type(self), "update")
        bound = inspect.signature(update).bind(self, None, *args, **kwargs).arguments
        batch: dict[str, Any] = {
            name: value if value is None else jnp.asarray(value)
            for name, value in list(bound.items())[2:]
        }
        stored = vars(self).get(STORED)
        if stored is None:
            stored = self.stored_accumulator(batch.get("y_true"), batch.get("y_pred"))
        stored.write(update(self, stored.read(), **batch))

    def reset_state(self) -> None:
        """Assign the first accumulator to its variables, and zeros to all others."""
        stored = vars(self).get(STORED)
        kept = [] if stored is None else [*stored.by_name.values()]
        if stored is not None:
            stored.reset()
        for variable in self.variables:
            if not any(variable is other for other in kept):
                variable.assign(np.zeros(variable.shape))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the variables and return the result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: DType = None,
        aggregation: str | None = "sum",
        name: str | None = None,
    ) -> Variable:
        """Return a new variable of the metric; to be called in `__init__`.

        Args:
            shape: Its shape.
            initializer: Its first value: a name, such as "zeros", or an initializer.
            dtype: Its dtype, by default float32.
            aggregation: Accepted as in Keras: "sum", "mean", "only_first_replica" or None.
            name: Its name.

        Raises:
            RuntimeError: `__init__` has not called `super().__init__()` before.
            ValueError: An argument is out of its range.
        """
        owner = type(self).__name__
        if "dtype" not in vars(self):
            raise RuntimeError(
                f"`{owner}`: `__init__` must call `super().__init__(name=…)` before it makes "
                "variables."
            )
        one_of(owner, "aggregation", aggregation, ("sum", "mean", "only_first_replica", None))
        # A metric may be made while JAX traces: its variables hold arrays, not tracers.
        with jax.ensure_compile_time_eval():
            initial = Variable(initializer, shape=shape, dtype=dtype or "float32", name=name)
            variable = Variable.linked(
                OwnStorage(initial.value),
                f"{self.name}/{initial.name}",
                initial.shape,
                initial.dtype,
                trainable=False,
            )
        vars(self).setdefault(ADDED, []).append(variable)
        return variable

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: DType = None,
        name: str | None = None,
    ) -> Variable:
        """Return a new variable of the metric; another name of `add_variable`."""
        if initializer is None:
            raise ValueError(
                f'`{type(self).__name__}`: `add_weight` needs an `initializer`, such as "zeros".'
            )
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The variables: of the accumulator, of this object, and of metrics in its attributes.

        A metric with a sum for each output has none before the first `update_state`.
        """
        return list(self.named_variables().values())

    def named_variables(self) -> dict[str, Variable]:
        """Return `variables` by the names that they have in an accumulator."""
        found: list[Variable] = []
        # Shapes that depend on the predictions are known at the first update.
        with contextlib.suppress(PredictionsNeededError):
            found += self.stored_accumulator().by_name.values()
        attributes = list(values_in(vars(self)))
        found += [value for value in attributes if isinstance(value, Variable)]
        for value in attributes:
            found += value.variables if isinstance(value, Metric) else ()
        return unique_names(list({id(variable): variable for variable in found}.values()))

    def stored_accumulator(self, y_true: Any = None, y_pred: Any = None) -> AccumulatorVariables:
        """Return the variables of the accumulator, which are made at the first call.

        Args:
            y_true: Targets or their specs; needed if there is one sum for each output.
            y_pred: Predictions or their specs; likewise.
        """
        stored: AccumulatorVariables | None = vars(self).get(STORED)
        if stored is not None and y_pred is None:
            return stored
        init = pure_function(type(self), "init")
        only_variables = init is Metric.init and type(self).init is not Metric.init
        start = {} if only_variables else init(self, y_true, y_pred)
        if stored is None or not stored.fits(start):
            stored = AccumulatorVariables(str(self.name), start)
            object.__setattr__(self, STORED, stored)
        return stored

    def stateless_update_state(
        self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any
    ) -> list[Array]:
        """Return the values of the variables after a batch, without changing the metric.

        Args:
            metric_variables: The values of `variables` before the batch.
            *args: The arguments of `update_state`.
            **kwargs: Those by name.

        Raises:
            ValueError: The number of values is not that of the variables.
        """
        with self._scope(metric_variables):
            self.update_state(*args, **kwargs)
            return [variable.value for variable in self.variables]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """Return the result for these values of `variables`.

        Raises:
            ValueError: The number of values is not that of the variables.
        """
        with self._scope(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Array]:
        """Return the values of `variables` after `reset_state`, without changing the metric."""
        with StatelessScope():
            self.reset_state()
            return [variable.value for variable in self.variables]

    def _scope(self, values: Sequence[Any]) -> StatelessScope:
        variables = self.variables
        if len(values) != len(variables):
            names = ", ".join(variable.name for variable in variables)
            raise ValueError(
                f"`{type(self).__name__}` has {len(variables)} variables ({names}), received "
                f"{len(values)} values: give one for each of `metric.variables`."
            )
        return StatelessScope(zip(variables, values, strict=True))

    def __getstate__(self) -> dict[str, Any]:
        # A copy has sums of its own.
        state = dict(vars(self))
        if STORED in state:
            state[STORED] = copy.copy(state[STORED])
        return state

    def _missing(self, signature: str) -> str:
        return (
            f"`{type(self).__name__}` must override `{signature}`: a metric consists of "
            f"`update_state` and `result`, which change variables, or of the three pure functions "
            f"`init`, `update` and `result`."
        )


class PredictionsNeededError(ValueError):
    """An accumulator has a sum for each output, and the number of outputs is not known yet."""


def zeros(shape: Shape = (), dtype: str = "float32") -> np.ndarray:
    """Return zeros of numpy, which need no device."""
    return np.zeros(shape, jnp.dtype(dtype))


def add(accumulator: Accumulator, added: Mapping[str, ArrayLike]) -> Accumulator:
    """Return the accumulator with other sums added, in its own dtypes.

    >>> add({"total": np.float32(1)}, {"total": np.float64(2)})["total"].dtype
    dtype('float32')
    """
    sums = {name: jnp.asarray(value) for name, value in accumulator.items()}
    return {
        name: sums[name] + jnp.asarray(value, sums[name].dtype) for name, value in added.items()
    }


def output_count(owner: str, y_pred: Any) -> int:
    """Return the size of the last axis of predictions of shape `(batch, outputs)`.

    Raises:
        ValueError: The predictions are missing, or do not have two axes.

    >>> output_count("F1Score", np.zeros((8, 3)))
    3
    """
    if y_pred is None:
        raise PredictionsNeededError(
            f"`{owner}` keeps a sum for each output: give `init` the predictions or their specs "
            f"(in a notebook, call `update_state` first)."
        )
    shape = tuple(y_pred.shape)
    if len(shape) != 2:
        raise ValueError(
            f"`{owner}` needs predictions of shape (batch, outputs), received {shape}. Reshape the "
            f"output to two axes."
        )
    return shape[-1]


def check_matrices(owner: str, y_true: Array, y_pred: Array, hint: str) -> None:
    """Raise ValueError unless both have shape `(batch, outputs)`."""
    if y_true.ndim != 2:
        raise ValueError(
            f"`{owner}` needs targets and predictions of shape (batch, outputs), received y_true "
            f"{y_true.shape} and y_pred {y_pred.shape}. {hint}"
        )
