"""The base of every metric: sums over a run, apart from the formula that reads them."""

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

# Sums by name: those of two devices, or of two halves of the data, add.
Accumulator = Mapping[str, Any]


class Metric(Configured):
    """Base of metrics; as `keras.metrics.Metric`.

    A metric is three pure functions. A subclass writes them, and has fields, or its own `__init__`
    as Keras's authors write it:

        accumulator = metric.init(y_true, y_pred)  # zeros; arguments with a shape, or none
        accumulator = metric.update(accumulator, y_true, y_pred, sample_weight=None)
        value = metric.result(accumulator)

    An accumulator is a dict of float32 sums. Beside these, Keras's convenience for a notebook keeps
    one on the object: `update_state(y_true, y_pred)`, `result()`, `reset_state()`, and calling the
    metric for the first two at once. It is no part of the configuration and cannot be traced.

    Args:
        name: The metric's key in logs; the snake case of its class where None.

    Attributes:
        direction: Where the metric is better, "up" or "down"; None where nobody can tell. Callbacks
            with `mode="auto"` ask for it.

    Raises:
        TypeError: The name is no string.

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
            setattr(cls, "result", _of_itself(cls.__dict__["result"]))  # noqa: B010

    def __post_init__(self) -> None:
        """Check the name, or fill it in."""
        check_name(type(self).__name__, self.name)
        if self.name is None:
            self.name = snake_case(type(self).__name__)

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return the accumulator of no data: numpy zeros.

        Args:
            y_true: Targets, or their specs; needed where the sums are one for each output.
            y_pred: Predictions, or their specs; the same.
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
            accumulator: What `init` or an `update` returned.
            y_true: Targets, `(batch, …)`.
            y_pred: Predictions, `(batch, …)`.
            sample_weight: A scalar or weights of leading axes, such as `(batch,)`.

        Raises:
            ValueError: The shapes do not fit each other.
        """
        raise NotImplementedError(
            self._missing("update(self, accumulator, y_true, y_pred, sample_weight=None)")
        )

    def result(self, *accumulator: Any, **named: Any) -> Any:
        """Return the value of `accumulator`, or of what `update_state` kept where it is left out.

        A subclass writes `result(self, accumulator)`; leaving it out works all the same.
        """
        raise NotImplementedError(self._missing("result(self, accumulator)"))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch to the sums that this object keeps; the arguments are those of `update`.

        Raises:
            TypeError: It was called inside a traced function.
        """
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((args, kwargs))):
            raise TypeError(
                f"`{type(self).__name__}.update_state` keeps its sums on the object, which a "
                f"traced function cannot change. Inside jit, grad or vmap use the pure `init`, "
                f"`update` and `result`."
            )
        bound = inspect.signature(self.update).bind(None, *args, **kwargs).arguments
        given: dict[str, Any] = {
            name: value if value is None else jnp.asarray(value)
            for name, value in list(bound.items())[1:]
        }
        kept = self.__dict__.get("_kept")
        if kept is None:
            kept = self.init(given.get("y_true"), given.get("y_pred"))
        object.__setattr__(self, "_kept", self.update(kept, **given))

    def reset_state(self) -> None:
        """Forget what `update_state` kept."""
        object.__setattr__(self, "_kept", None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the sums that this object keeps, and return the result of them all."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain data; of an authored class the name."""
        return {"name": self.name} if self._authored else super().get_config()

    def _missing(self, signature: str) -> str:
        return (
            f"`{type(self).__name__}` must override `{signature}`: a metric is the three pure "
            f"functions `init`, `update` and `result`."
        )


def zeros(shape: Shape = ()) -> np.ndarray:
    """Return float32 zeros on the host, which start no device."""
    return np.zeros(shape, np.float32)


def add(accumulator: Accumulator, added: Mapping[str, ArrayLike]) -> Accumulator:
    """Return the sums with others added to them, in the type that they have.

    >>> add({"total": np.float32(1)}, {"total": np.float64(2)})["total"].dtype
    dtype('float32')
    """
    sums = {name: jnp.asarray(value) for name, value in accumulator.items()}
    return {
        name: sums[name] + jnp.asarray(value, sums[name].dtype) for name, value in added.items()
    }


def outputs(owner: str, y_pred: Any) -> int:
    """Return the size of the last axis of predictions of shape `(batch, outputs)`.

    Raises:
        ValueError: There are no predictions yet, or they have another rank.

    >>> outputs("F1Score", None)
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


def matrices(owner: str, y_true: Array, y_pred: Array, hint: str) -> None:
    """Raise ValueError unless both have shape `(batch, outputs)`."""
    if y_true.ndim != 2:
        raise ValueError(
            f"`{owner}` needs targets and predictions of shape (batch, outputs), received y_true "
            f"{y_true.shape} and y_pred {y_pred.shape}. {hint}"
        )


def _of_itself(pure: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `result` that reads the kept accumulator where it is given none."""

    @functools.wraps(pure)
    def result(self: Metric, accumulator: Accumulator | None = None) -> Any:
        if accumulator is None:
            kept = self.__dict__.get("_kept")
            accumulator = self.init() if kept is None else kept
        return pure(self, accumulator)

    return result
