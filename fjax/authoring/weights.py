"""The weights of an author's object: what `add_weight` asks for, and what `__init__` keeps."""

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import jax.numpy as jnp
import numpy as np

from fjax import constraints, initializers, regularizers
from fjax.authoring.attributes import INIT_WEIGHTS, free_name, items_of, name_at, paths_to
from fjax.core.reserved import PENALTY
from fjax.errors import integer_at_least
from fjax.typing import Array, Shape


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
    """

    name: str | None
    shape: Shape
    dtype: Any
    initializer: Callable[..., Array]
    trainable: bool
    regularizer: Callable[[Array], Array] | None
    constraint: Callable[[Array], Array] | None


def weight_spec(
    owner: str,
    shape: Any,
    initializer: Any,
    dtype: Any,
    trainable: bool,
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
    number_type = jnp.dtype(dtype or "float32")
    if initializer is None:
        floating = jnp.issubdtype(number_type, jnp.floating)
        initializer = "glorot_uniform" if floating else "zeros"
    return WeightSpec(
        name, sizes, number_type, initializers.get(initializer), bool(trainable),
        regularizers.get(regularizer), constraints.get(constraint),
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


class InitWeight:
    """A weight that `__init__` made, as the object holds it: a shape and a dtype without values.

    In `build` and `call` the array of `params` or `state` takes its place.

    Args:
        owner: The name of the object's class.
        spec: What the weight is made of.
    """

    # numpy's operators give way to the ones below.
    __array_ufunc__ = None

    def __init__(self, owner: str, spec: WeightSpec) -> None:
        self.owner = owner
        self.spec = spec

    @property
    def shape(self) -> Shape:
        """The shape."""
        return self.spec.shape

    @property
    def dtype(self) -> Any:
        """The number type."""
        return self.spec.dtype

    @property
    def trainable(self) -> bool:
        """Whether the weight is one of the params, or of the state."""
        return self.spec.trainable

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of values."""
        return int(np.prod(self.shape))

    def __repr__(self) -> str:
        name = "" if self.spec.name is None else f" {self.spec.name!r}"
        return f"<weight{name} of {self.owner}: {self.dtype}, shape {self.shape}>"

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") or attribute == "spec":
            raise AttributeError(attribute)
        raise AttributeError(f"{self!r} has no attribute `{attribute}`. {self._explanation}")

    @property
    def _explanation(self) -> str:
        where = "params" if self.trainable else "state"
        return (
            f"It has no values outside of `build` and `call`: they are in the layer's {where}, or "
            "in the model. Read it as an attribute of `self` in `call`, not earlier."
        )

    def _raise_no_values(self, *operands: Any, **options: Any) -> NoReturn:
        raise RuntimeError(f"{self!r} was used as an array. {self._explanation}")

    # JAX asks an object for this attribute before it takes it for an array.
    __jax_array__ = property(_raise_no_values)
    __array__ = _raise_no_values
    __getitem__ = __iter__ = __len__ = __bool__ = __float__ = __int__ = _raise_no_values
    __neg__ = __abs__ = _raise_no_values
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _raise_no_values
    __truediv__ = __rtruediv__ = __matmul__ = __rmatmul__ = __pow__ = __rpow__ = _raise_no_values
    __lt__ = __le__ = __gt__ = __ge__ = _raise_no_values


def init_weights(author: Any) -> dict[str, InitWeight]:
    """Return the weights that an object's `__init__` made, by name, in the order of `add_weight`.

    Raises:
        ValueError: Two of them have one name.
    """
    weights: dict[str, InitWeight] = {}
    for weight in vars(author).get(INIT_WEIGHTS, ()):
        name = weight.spec.name or name_at(next(paths_to(author, weight), None))
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
