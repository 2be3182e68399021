"""The words of the house: names for the values that travel between its floors."""

from collections.abc import Callable, Mapping
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
