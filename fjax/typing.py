"""The words of the house: names for the values that travel between its floors."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, Self, runtime_checkable

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


class GradientTransformation(Protocol):
    """A pure optimizer by the convention that optax made standard; ours follow it too."""

    def init(self, params: PyTree) -> PyTree:
        """Return the optimizer state that belongs to `params`."""
        ...

    def update(self, grads: PyTree, opt_state: PyTree, params: PyTree) -> tuple[PyTree, PyTree]:
        """Return the updates to add to `params`, and the next optimizer state."""
        ...


@runtime_checkable
class ChecksInputs(Protocol):
    """A network that says more of its inputs than their shapes, such as the range of integers."""

    def check_inputs(self, *inputs: PyTree) -> None:
        """Raise ValueError where arrays, whole or a batch of them, are not what it takes."""
        ...


@runtime_checkable
class HasLearningRate(Protocol):
    """The state of an optimizer whose learning rate is a leaf, and so can be replaced."""

    learning_rate: Any

    def _replace(self, **changes: Any) -> Self:
        """Return a copy with other leaves."""
        ...


@runtime_checkable
class Splitter(Protocol):
    """A splitter of scikit-learn, such as `KFold`."""

    def split(self, x: Any, y: Any = None, groups: Any = None, /) -> Iterator[Any]:
        """Return pairs (train, test) of row numbers."""
        ...
