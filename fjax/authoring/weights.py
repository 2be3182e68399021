"""The weights of an author's object: what `add_weight` asks for, and what `__init__` keeps."""

import copy
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from fjax import constraints, initializers, regularizers
from fjax.authoring.attributes import (
    INIT_WEIGHTS,
    free_name,
    items_of,
    map_items,
    name_at,
    paths_to,
)
from fjax.core.array_calls import filled_slot, layer_name
from fjax.core.reserved import PENALTY
from fjax.core.slot_variables import SlotStorage
from fjax.core.weight_slot import WeightSlot
from fjax.errors import integer_at_least
from fjax.typing import Array, Shape
from fjax.variable import Variable

# Whether an author's code runs in a pass, where a weight is the array of the pass.
IN_PASS: ContextVar[bool] = ContextVar("in_pass", default=False)


class WeightSpec(NamedTuple):
    """What a weight is made of.

    Attributes:
        name: The name that `add_weight` was given; None for that of the attribute.
        shape: The shape.
        dtype: The number type.
        initializer: Makes the first value.
        trainable: Whether the weight is one of the params, or of the state.
        regularizer: What it adds to the loss, or None.
        constraint: What is applied after each update, or None.
        autocast: Whether `call` reads it in the dtype of the computation.
    """

    name: str | None
    shape: Shape
    dtype: Any
    initializer: Callable[..., Array]
    trainable: bool
    regularizer: Callable[[Array], Array] | None
    constraint: Callable[[Array], Array] | None
    autocast: bool = True


def weight_spec(
    owner: str,
    shape: Any,
    initializer: Any,
    dtype: Any,
    trainable: bool,
    autocast: bool,
    regularizer: Any,
    constraint: Any,
    name: str | None,
) -> WeightSpec:
    """Return what `add_weight` was asked for, checked and with identifiers resolved.

    Raises:
        ValueError: The shape, the name or an identifier is wrong.
    """
    _check_name(owner, name)
    axes = shape if isinstance(shape, list | tuple) else (shape,)
    if None in axes:
        raise ValueError(
            f"`{owner}.add_weight`: `shape` must be an int or a tuple of ints, received {shape!r}. "
            "Every axis of a weight has a known size; the shape of one number is ()."
        )
    sizes = tuple(
        integer_at_least(f"{owner}.add_weight", f"shape[{axis}]", size, 0)
        for axis, size in enumerate(axes)
    )
    number_type = jnp.dtype(dtype)
    if initializer is None:
        floating = jnp.issubdtype(number_type, jnp.floating)
        initializer = "glorot_uniform" if floating else "zeros"
    return WeightSpec(
        name, sizes, number_type, initializers.get(initializer), bool(trainable),
        regularizers.get(regularizer), constraints.get(constraint), bool(autocast),
    )  # fmt: skip


def _check_name(owner: str, name: Any) -> None:
    if name is None:
        return
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(
            f"`{owner}.add_weight`: `name` must be a non-empty str without '/', received {name!r}."
        )
    if name == PENALTY:
        raise ValueError(
            f"`{owner}.add_weight`: the name {PENALTY!r} is reserved for what is added to the "
            "loss. Choose another name."
        )


class InitWeight(Variable):
    """A weight that `__init__` made, as the object holds it: a variable in the object's slot.

    It has a shape and a dtype, and values as soon as the object is built. In `build` and `call` the
    array of `params` or `state` takes its place.

    Args:
        author: The object.
        spec: What the weight is made of.
    """

    def __init__(self, author: Any, spec: WeightSpec) -> None:
        self.owner = type(author).__name__
        self.weight_spec = spec
        name = spec.name or "variable"
        self._link(_InitStorage(self), name, spec.shape, spec.dtype, spec.trainable)
        self.belong_to(author)

    def belong_to(self, author: Any) -> None:
        """Set the object, which a copy of the weight has lost."""
        self._author = weakref.ref(author)

    @property
    def author(self) -> Any:
        """The object, or None if it is gone."""
        return None if self._author is None else self._author()

    @property
    def size(self) -> int:
        """The number of values."""
        return int(np.prod(self.shape))

    @property
    def __jax_array__(self) -> Any:
        # A property, because JAX looks the attribute up first; it would replace a RuntimeError.
        value = self.value
        return lambda: value

    def __repr__(self) -> str:
        if not IN_PASS.get() and self.storage_slot is not None:
            return super().__repr__()
        name = "" if self.weight_spec.name is None else f" {self.weight_spec.name!r}"
        return f"<weight{name} of {self.owner}: {self.dtype}, shape {self.shape}>"

    @property
    def storage_slot(self) -> WeightSlot | None:
        """The slot with the array, or None if the object is not built."""
        layer = getattr(self.author, "layer_tree", self.author)
        return None if layer is None else filled_slot(layer)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_author": None, "_storage": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _storage=_InitStorage(self))

    @property
    def explanation(self) -> str:
        """Why there are no values."""
        where = "params" if self.weight_spec.trainable else "state"
        return (
            f"It has no values in `build` and `call`, where they are in the layer's {where}, or "
            "before the layer is built. Read it as an attribute of `self` in `call`, or build the "
            "layer first: call it on data, or put it into a model."
        )


class _InitStorage:
    """Storage of a weight that `__init__` made: the slot of the object."""

    def __init__(self, weight: InitWeight) -> None:
        self.weight = weight

    def read(self) -> Array:
        """Return the array."""
        return self._storage().read()

    def write(self, value: Array) -> None:
        """Replace the array."""
        self._storage().write(value)

    def _storage(self) -> SlotStorage:
        weight = self.weight
        slot = None if IN_PASS.get() else weight.storage_slot
        if slot is None:
            raise RuntimeError(f"{weight!r} was used as an array. {weight.explanation}")
        name = next(name for name, each in init_weights(weight.author).items() if each is weight)
        return SlotStorage(slot, "params" if weight.weight_spec.trainable else "state", (name,))


def init_variables(author: Any) -> list[InitWeight]:
    """Return the variables that an object's `__init__` made."""
    return list(init_weights(author).values())


def note_variables(author: Any, slot: WeightSlot) -> None:
    """Note in the slot of an author's object the variables that `__init__` made."""
    for name, weight in init_weights(author).items():
        slot.variables["params" if weight.weight_spec.trainable else "state", name] = weight
        prefix = (layer_name(author),) if slot.link is None else slot.link.path
        weight.name, weight.path = name, "/".join((*prefix, name))


def with_own_weights(values: dict[str, Any]) -> dict[str, Any]:
    """Return an object's attributes for a copy of it, which has weights of its own."""
    new = {id(weight): copy.copy(weight) for weight in values.get(INIT_WEIGHTS, ())}

    def replaced(value: Any) -> Any:
        if isinstance(value, InitWeight):
            return new.get(id(value), value)
        return map_items(lambda _, item: replaced(item), value)

    return {name: replaced(value) for name, value in values.items()} if new else values


def own_weights(author: Any) -> None:
    """Tell the weights of a new copy of an object that they belong to it."""
    for weight in vars(author).get(INIT_WEIGHTS, ()):
        weight.belong_to(author)


def init_weights(author: Any) -> dict[str, InitWeight]:
    """Return the weights that an object's `__init__` made, by name, in the order of `add_weight`.

    Raises:
        ValueError: Two of them have one name.
    """
    weights: dict[str, InitWeight] = {}
    for weight in vars(author).get(INIT_WEIGHTS, ()):
        name = weight.weight_spec.name or name_at(next(paths_to(author, weight), None))
        name = free_name(weights) if name is None else name
        check_new_name(type(author).__name__, name, weights)
        weights[name] = weight
    return weights


def check_new_name(owner: str, name: str, taken: Any) -> None:
    """Raise ValueError if an object has a weight of this name already."""
    if name in taken:
        raise ValueError(
            f"`{owner}.add_weight`: two weights are named {name!r}. Give each its own `name`. A "
            "weight without one is named after its attribute."
        )


def holds_init_weights(value: Any) -> bool:
    """Tell whether a value is a weight that `__init__` made, or has some in its containers."""
    return isinstance(value, InitWeight) or any(
        holds_init_weights(item) for _, item in items_of(value)
    )
