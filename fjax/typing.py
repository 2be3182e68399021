"""The words of the house: names for the values that travel between its floors."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np

Array = jax.Array
ArrayLike = jax.typing.ArrayLike

# A typed PRNG key, as `jax.random.key` makes it.
Key = jax.Array

Shape = tuple[int, ...]
DType = Any

# Nested dicts of arrays keyed by layer name, `{}` where there is nothing.
Params = Mapping[str, Any]
State = Mapping[str, Any]

# Any nesting of dicts, lists and tuples that JAX flattens.
PyTree = Any

# A name ("relu"), a function, a configured object, or its configuration as a dict; whoever stores
# one resolves it at construction, so that a stored identifier is always the object itself.
Identifier = Any

ActivationFunction = Callable[[Array], Array]
LossFunction = Callable[[Array, Array], Array]


@runtime_checkable
class Spec(Protocol):
    """What a layer needs to know of an input: a shape (batch axis included) and a dtype."""

    @property
    def shape(self) -> Shape:
        """The whole shape, batch axis included."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """The element type."""
        ...


class AuthoringContext(Protocol):
    """What the methods of an author's object act on, while its code runs."""

    def add_weight(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any,
        trainable: bool,
        regularizer: Any,
        constraint: Any,
        name: str | None,
    ) -> Array:
        """Return a new weight of the object."""
        ...

    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss of this pass."""
        ...

    def call_extended(self, inputs: tuple[PyTree, ...], training: bool | None) -> PyTree:
        """Return the outputs of the layer that the object's class extends."""
        ...


class Authoring(Protocol):
    """What makes pairs of classes with `build` and `call`: the package `fjax.authoring`."""

    def prepare_class(self, cls: Any) -> None:
        """Give a class that has a `call` what makes it a pair."""
        ...

    def context_of(self, author: Any) -> AuthoringContext:
        """Return what the methods of an object act on now."""
        ...


@runtime_checkable
class HasConfig(Protocol):
    """An object that its class can create again from a configuration."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor by name."""
        ...


@runtime_checkable
class DescribedBy(Protocol):
    """An object that is stored in files as another one."""

    @property
    def described_by(self) -> Any:
        """The object that files describe instead."""
        ...


class Stateful(Protocol):
    """An object whose state is saved in checkpoints, such as a callback."""

    def get_state(self) -> dict[str, Any]:
        """Return the state: numbers, strings, arrays, and lists and dicts of these."""
        ...

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_state` returned."""
        ...


class GradientTransformation(Protocol):
    """A pure optimizer by the convention that optax made standard; ours follow it too."""

    def init(self, params: PyTree) -> PyTree:
        """Return the optimizer state that belongs to `params`."""
        ...

    def update(self, grads: PyTree, opt_state: PyTree, params: PyTree) -> tuple[PyTree, PyTree]:
        """Return the updates to add to `params`, and the next optimizer state."""
        ...


@runtime_checkable
class HasMonitor(Protocol):
    """A callback that needs one log: a run without this log is an error before training."""

    monitor: Any


@runtime_checkable
class HasSearchResults(Protocol):
    """A fitted search of scikit-learn's kind."""

    cv_results_: Mapping[str, Any]


@runtime_checkable
class NotebookBar(Protocol):
    """A tqdm bar that is a notebook widget rather than text."""

    container: Any


@runtime_checkable
class RateSweep(Protocol):
    """The result of training at several learning rates."""

    learning_rates: np.ndarray
    losses: np.ndarray
    histories: list[dict[str, list[Any]]]


@runtime_checkable
class ChecksInputs(Protocol):
    """A network that says more of its inputs than their shapes, such as the range of integers."""

    def check_inputs(self, *inputs: PyTree) -> None:
        """Raise ValueError where arrays, whole or a batch of them, are not what it takes."""
        ...


@runtime_checkable
class Constrains(Protocol):
    """A layer with constraints on its weights."""

    def constrain(self, params: Params) -> Params:
        """Return the params with the constraints applied."""
        ...


@runtime_checkable
class Finalizes(Protocol):
    """An optimizer whose params for use differ from those it trains, such as their averages."""

    def finalize(self, params: PyTree, opt_state: PyTree) -> PyTree:
        """Return the params to use after training."""
        ...


@runtime_checkable
class AveragingOptimizer(GradientTransformation, Finalizes, Protocol):
    """An optimizer that can average the params."""

    use_ema: bool


@runtime_checkable
class Adapts(Protocol):
    """A layer that learns from data before training, such as `Normalization`."""

    def adapt(self, data: Any) -> None:
        """Learn from data."""
        ...

    def learned(self) -> Any:
        """Return what was learned, as something that can be compared."""
        ...


@runtime_checkable
class RequiresReady(Protocol):
    """A network that may have to learn from data before it has weights."""

    def require_ready(self) -> None:
        """Raise if a layer has not learned from data yet."""
        ...


@runtime_checkable
class HasLearningRate(Protocol):
    """The state of an optimizer that keeps its learning rate there."""

    learning_rate: Any


@runtime_checkable
class RecordsCalls(Protocol):
    """A network that can record the calls of the layers inside."""

    def trace(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> list[Any]:
        """Return a record of each call, for these inputs."""
        ...


@runtime_checkable
class Splitter(Protocol):
    """A splitter of scikit-learn, such as `KFold`."""

    def split(self, x: Any, y: Any = None, groups: Any = None, /) -> Iterator[Any]:
        """Return pairs (train, test) of row numbers."""
        ...
