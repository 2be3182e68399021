"""Type names and protocols that all packages share."""

import dataclasses
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

# Nested dicts of arrays keyed by layer name; `{}` for a layer without arrays.
Params = Mapping[str, Any]
State = Mapping[str, Any]

# Any nesting of containers that JAX flattens.
PyTree = Any

# A name ("relu"), a function, a configured object, or its configuration as a dict. A class that
# stores an identifier resolves it at construction, so that its field is always the object itself.
Identifier = Any

ActivationFunction = Callable[[Array], Array]
LossFunction = Callable[[Array, Array], Array]


@runtime_checkable
class Spec(Protocol):
    """The shape and dtype of an input of a layer."""

    @property
    def shape(self) -> Shape:
        """The shape, batch axis included."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """The element type."""
        ...


@dataclasses.dataclass(frozen=True)
class RowPart:
    """The part of each batch that a process has.

    Attributes:
        index: The number of the part; part 0 has the first rows of a batch.
        count: The number of parts.
    """

    index: int
    count: int


class AuthoringContext(Protocol):
    """The pass in which the code of an author's object runs; its methods act on it."""

    def add_weight(self, *request: Any) -> Array:
        """Return a new weight of the object; the request is the arguments of its `add_weight`."""
        ...

    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss of this pass."""
        ...

    def call_extended(self, inputs: tuple[PyTree, ...], training: bool | None) -> PyTree:
        """Return the outputs of the layer that the object's class extends."""
        ...

    def extended_weight(self, name: str) -> Any:
        """Return a weight of the layer that the object's class extends, or None."""
        ...


class Authoring(Protocol):
    """The conversion of classes with `build` and `call` to pairs, by `fjax.authoring`."""

    def prepare_class(self, cls: Any) -> None:
        """Add `init` and `apply` to a class that has a `call`."""
        ...

    def context_of(self, author: Any) -> AuthoringContext:
        """Return the current context of an object."""
        ...

    def is_bound(self, author: Any) -> bool:
        """Tell whether an object is the copy on which `build` and `call` run in a pass."""
        ...

    def is_running(self, author: Any) -> bool:
        """Tell whether one of the author's methods runs on an object."""
        ...

    def init_variables(self, author: Any) -> list[Any]:
        """Return the variables that `__init__` made."""
        ...

    def note_variables(self, author: Any, slot: Any) -> None:
        """Note in the slot of an object the variables that `__init__` made."""
        ...

    def with_own_weights(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return an object's attributes for a copy of it, which has weights of its own."""
        ...

    def own_weights(self, author: Any) -> None:
        """Tell the weights of a new copy of an object that they belong to it."""
        ...


@runtime_checkable
class HasConfig(Protocol):
    """An object that can be created again from its configuration."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor by name."""
        ...


@runtime_checkable
class DescribedBy(Protocol):
    """An object that files describe by another object."""

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
    """A pure optimizer by optax's convention, which fjax's optimizers follow, too."""

    def init(self, params: PyTree) -> PyTree:
        """Return the initial optimizer state for `params`."""
        ...

    def update(self, grads: PyTree, opt_state: PyTree, params: PyTree) -> tuple[PyTree, PyTree]:
        """Return the updates to add to `params`, and the next optimizer state."""
        ...


@runtime_checkable
class HasMonitor(Protocol):
    """A callback that monitors a log; a run without this log is an error before training."""

    monitor: Any


@runtime_checkable
class HasSearchResults(Protocol):
    """A fitted search with scikit-learn's results."""

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
class Constrains(Protocol):
    """A layer with constraints on its weights."""

    def constrain(self, params: Params) -> Params:
        """Return the params with the constraints applied."""
        ...


@runtime_checkable
class Finalizes(Protocol):
    """An optimizer that returns other params after training, such as their averages."""

    def finalize(self, params: PyTree, opt_state: PyTree) -> PyTree:
        """Return the params to use after training."""
        ...


@runtime_checkable
class ScalesLoss(Protocol):
    """An optimizer whose `update` expects the gradients of a scaled loss."""

    def scale_loss(self, loss: Array, opt_state: PyTree) -> Array:
        """Return the loss times the scale."""
        ...


@runtime_checkable
class AveragingOptimizer(GradientTransformation, Finalizes, Protocol):
    """An optimizer that can average the params."""

    use_ema: bool


@runtime_checkable
class SamplesRows(Protocol):
    """A source of arrays that every process has as a whole."""

    def sample_rows(self) -> Any:
        """Return plain data that differs for other arrays: the number of rows, and a checksum."""
        ...


@runtime_checkable
class IteratesPasses(Protocol):
    """A data set whose order in each pass follows from the number of the pass."""

    def iterate_pass(self, number: int) -> Iterator[Any]:
        """Return the elements in the order of a pass."""
        ...


@runtime_checkable
class Adapts(Protocol):
    """A layer that learns from data before training, such as `Normalization`."""

    def adapt(self, data: Any) -> None:
        """Learn from data."""
        ...

    def learned(self) -> Any:
        """Return the learned values, which can be compared."""
        ...


@runtime_checkable
class RequiresReady(Protocol):
    """A network that may have to be adapted to data before it has weights."""

    def require_ready(self) -> None:
        """Raise if a layer has not learned from data yet."""
        ...


@runtime_checkable
class HasLearningRate(Protocol):
    """An optimizer state that contains the learning rate."""

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

    def children(self) -> list[tuple[str, Any]]:
        """Return the layers inside, by name."""
        ...


@runtime_checkable
class Splitter(Protocol):
    """A splitter of scikit-learn, such as `KFold`."""

    def split(self, x: Any, y: Any = None, groups: Any = None, /) -> Iterator[Any]:
        """Return pairs (train, test) of row numbers."""
        ...
