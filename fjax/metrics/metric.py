"""The base class of metrics, and functions of their accumulators."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from fjax.configuration import Configured, snake_case
from fjax.losses.loss import check_name
from fjax.typing import Array, ArrayLike, Shape

# Sums by name. Accumulators of two devices, or of two parts of the data, can be added.
Accumulator = Mapping[str, Any]


class Metric(Configured):
    """Base class of metrics, as `keras.metrics.Metric`.

    A metric consists of three pure functions, which a subclass defines:

        accumulator = metric.init(y_true, y_pred)  # zeros; arrays, specs or no arguments
        accumulator = metric.update(accumulator, y_true, y_pred, sample_weight=None)
        value = metric.result(accumulator)

    An accumulator is a dict of float32 sums. A subclass may list fields, or define its own
    `__init__` as in code written for Keras.

    For notebooks, Keras's stateful methods store an accumulator on the object:
    `update_state(y_true, y_pred)`, `result()`, `reset_state()`, and calling the metric, which
    updates and returns the result. The stored accumulator is not part of the configuration, and
    these methods cannot be traced.

    Args:
        name: The metric's key in logs; None means its class name in snake case.

    Attributes:
        direction: "up" if larger values are better, "down" if smaller ones are, None if unknown.
            Callbacks with `mode="auto"` use it.

    Raises:
        TypeError: The name is not a string.

    >>> class Largest(Metric):
    ...     def init(self, y_true=None, y_pred=None):
    ...         return {"misses": np.zeros((), np.float32)}
    ...     def update(self, accumulator, y_true, y_pred, sample_weight=None):
    ...         return {"misses": accumulator["misses"] + (abs(y_true - y_pred) > 1).sum()}
    ...     def result(self, accumulator):
    ...         return accumulator["misses"]
    >>> metric = Largest()
    >>> metric.update_state([0.0, 0.0], [0.5, 2.0])
    >>> print(metric.name, metric.result())
    largest 1.0
    """

    direction: ClassVar[str | None] = None

    name: str | None = field(default=None, kw_only=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "result" in cls.__dict__:
            setattr(cls, "result", _with_stored_default(cls.__dict__["result"]))  # noqa: B010

    def __post_init__(self) -> None:
        """Check or set the name."""
        check_name(type(self).__name__, self.name)
        if self.name is None:
            self.name = snake_case(type(self).__name__)

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
        """Return the value of an accumulator, by default of the one that `update_state` stored.

        A subclass defines `result(self, accumulator)`; this class adds the default.
        """
        raise NotImplementedError(self._missing("result(self, accumulator)"))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch to the stored accumulator; the arguments are those of `update`.

        Raises:
            TypeError: It is called inside a traced function.
        """
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((args, kwargs))):
            raise TypeError(
                f"`{type(self).__name__}.update_state` stores its sums on the object, which a "
                f"traced function cannot change. Inside jit, grad or vmap use the pure `init`, "
                f"`update` and `result`."
            )
        bound = inspect.signature(self.update).bind(None, *args, **kwargs).arguments
        batch: dict[str, Any] = {
            name: value if value is None else jnp.asarray(value)
            for name, value in list(bound.items())[1:]
        }
        accumulator = self.__dict__.get("_stored")
        if accumulator is None:
            accumulator = self.init(batch.get("y_true"), batch.get("y_pred"))
        object.__setattr__(self, "_stored", self.update(accumulator, **batch))

    def reset_state(self) -> None:
        """Discard the stored accumulator."""
        object.__setattr__(self, "_stored", None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the stored accumulator and return its result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain data; for an authored class, the name."""
        return {"name": self.name} if self.has_own_init else super().get_config()

    def _missing(self, signature: str) -> str:
        return (
            f"`{type(self).__name__}` must override `{signature}`: a metric consists of the three "
            f"pure functions `init`, `update` and `result`."
        )


def zeros(shape: Shape = ()) -> np.ndarray:
    """Return float32 zeros of numpy, which need no device."""
    return np.zeros(shape, np.float32)


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

    >>> output_count("F1Score", None)
    Traceback (most recent call last):
        ...
    ValueError: `F1Score` keeps a sum for each output: give `init` the predictions or their specs
    (in a notebook, call `update_state` first).
    """
    if y_pred is None:
        raise ValueError(
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


def _with_stored_default(pure_result: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `result` method whose accumulator is by default the stored one."""

    @functools.wraps(pure_result)
    def result(self: Metric, accumulator: Accumulator | None = None) -> Any:
        if accumulator is None:
            accumulator = self.__dict__.get("_stored")
        return pure_result(self, self.init() if accumulator is None else accumulator)

    return result
