"""Layers that make one value of several, and the same as functions of a list."""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax.core.layer import Layer
from fjax.core.masking import either_mask, split, with_mask
from fjax.errors import is_integer
from fjax.traits import within_rows
from fjax.typing import Array, Key, Params, PyTree, State


class Merge(Layer):
    """Base of the merge layers: counts the inputs, asks `check`, and calls `merged`."""

    exactly_two: ClassVar[bool] = False

    masking = "takes"

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the one value made of the inputs."""
        owner, count = type(self).__name__, len(inputs)
        if count != 2 if self.exactly_two else count < 2:
            wanted = "exactly" if self.exactly_two else "at least"
            received = f"{count}{' of shapes' if count else ''} {_shown(inputs)}".rstrip()
            raise TypeError(
                f"`{owner}` takes {wanted} 2 inputs, as several arguments, received {received}."
            )
        pairs = [split(value) for value in inputs]
        values = [jnp.asarray(value) for value, _ in pairs]
        masks = [mask for _, mask in pairs]
        self.check(values)
        mask = None if all(own is None for own in masks) else self.merged_mask(values, masks)
        return with_mask(self.merged(values), mask), state

    def check(self, values: list[Array]) -> None:
        """Raise ValueError if the shapes do not fit."""
        shapes = [value.shape for value in values]
        if any(len(shape) == 0 for shape in shapes):
            raise self.misfit(values, "each needs a batch axis")
        if len({shape[0] for shape in shapes}) > 1:
            raise self.misfit(values, "the batch axes, which come first, must be equal")

    def merged(self, values: list[Array]) -> Array:
        """Return the one value, shapes being right."""
        raise NotImplementedError(f"`{type(self).__name__}` defines no `merged`.")

    def merged_mask(self, values: list[Array], masks: list[Any]) -> Any:
        """Return the mask of the one value, where an input has a mask; None where it has none."""
        return None

    def misfit(self, values: list[Array], why: str) -> ValueError:
        """Return the error for shapes that do not fit."""
        return ValueError(
            f"`{type(self).__name__}` cannot merge inputs of shapes {_shown(values)}: {why}."
        )


class Elementwise(Merge):
    """Base of the merge layers that go entry by entry, one input after the other."""

    rows_independent = True

    operation: ClassVar[Any]

    def check(self, values: list[Array]) -> None:
        """Raise ValueError if the samples cannot be broadcast to one shape."""
        super().check(values)
        try:
            jnp.broadcast_shapes(*(value.shape[1:] for value in values))
        except ValueError:
            why = "without the batch axis each axis, counted from the last, must be equal or 1"
            raise self.misfit(values, why) from None

    def merged(self, values: list[Array]) -> Array:
        """Return the inputs put together entry by entry."""
        rank = max(value.ndim for value in values)
        # Axes that an input lacks are put behind its batch axis, which stays the first.
        aligned = [
            jnp.expand_dims(value, tuple(range(1, 1 + rank - value.ndim))) for value in values
        ]
        return functools.reduce(self.operation, aligned)

    def merged_mask(self, values: list[Array], masks: list[Any]) -> Any:
        """Return where an entry counts in any input; None if one of the inputs has no mask."""
        return either_mask(masks)


class Add(Elementwise):
    """The sum of the inputs, entry by entry.

    Two or more inputs, as several arguments. The batch axes must be equal; the samples are
    broadcast as in numpy: an input of fewer axes gets axes of size 1 behind its batch axis.

    Shapes: `(batch, …)` each, to the shape that all are broadcast to.

    Raises:
        TypeError: There are fewer than two inputs.
        ValueError: The shapes do not fit.

    Source: Keras's page "Add layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Add().apply({}, {}, jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[4.0, 7.0]]
    """

    operation = staticmethod(jnp.add)


class Subtract(Elementwise):
    """The first input minus the second, entry by entry; two inputs, shapes as in `Add`.

    Raises:
        TypeError: There are not two inputs.
        ValueError: The shapes do not fit.

    Source: Keras's page "Subtract layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Subtract().apply({}, {}, jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[-2.0, -3.0]]
    """

    exactly_two = True
    operation = staticmethod(jnp.subtract)


class Multiply(Elementwise):
    """The product of the inputs, entry by entry; inputs, shapes and errors as in `Add`.

    Source: Keras's page "Multiply layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Multiply().apply({}, {}, jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[3.0, 10.0]]
    """

    operation = staticmethod(jnp.multiply)


class Average(Elementwise):
    """The mean of the inputs, entry by entry; inputs, shapes and errors as in `Add`.

    Source: Keras's page "Average layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Average().apply({}, {}, jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[2.0, 3.5]]
    """

    operation = staticmethod(jnp.add)

    def merged(self, values: list[Array]) -> Array:
        """Return the sum divided by the number of inputs."""
        return super().merged(values) / len(values)


class Maximum(Elementwise):
    """The largest of the inputs, entry by entry; inputs, shapes and errors as in `Add`.

    Source: Keras's page "Maximum layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Maximum().apply({}, {}, jnp.array([[1.0, 9.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[3.0, 9.0]]
    """

    operation = staticmethod(jnp.maximum)


class Minimum(Elementwise):
    """The smallest of the inputs, entry by entry; inputs, shapes and errors as in `Add`.

    Source: Keras's page "Minimum layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Minimum().apply({}, {}, jnp.array([[1.0, 9.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[1.0, 5.0]]
    """

    operation = staticmethod(jnp.minimum)


class Concatenate(Merge):
    """The inputs one behind the other, along one axis.

    Args:
        axis: The axis, batch axis counted. It cannot be the batch axis: that would make other
            samples of them. To put batches together, call `jnp.concatenate` outside the network.

    Shapes: `(batch, …)` each, of one rank, equal on all axes but `axis`; on it the sizes add up.

    Raises:
        TypeError: There are fewer than two inputs.
        ValueError: The shapes do not fit, or `axis` is the batch axis or out of range.

    Source: Keras's page "Concatenate layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Concatenate().apply({}, {}, jnp.zeros((32, 3)), jnp.zeros((32, 5)))
    >>> outputs.shape
    (32, 8)
    """

    axis: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.axis = _sample_axis("Concatenate", "axis", self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is known not to be the batch axis."""
        return within_rows(self.axis)

    def check(self, values: list[Array]) -> None:
        """Raise ValueError if ranks or other axes differ, or if there is no such axis."""
        super().check(values)
        if len({value.ndim for value in values}) > 1:
            raise self.misfit(values, "all must have the same number of axes")
        axis = _place(self, values, self.axis, values[0].ndim)
        if len({value.shape[:axis] + value.shape[axis + 1 :] for value in values}) > 1:
            raise self.misfit(values, f"all axes but axis {self.axis} must be equal")

    def merged(self, values: list[Array]) -> Array:
        """Return the inputs one behind the other."""
        return jnp.concatenate(values, axis=self.axis)

    def merged_mask(self, values: list[Array], masks: list[Any]) -> Any:
        """Return the masks side by side; an entry counts where any of its features does."""
        whole = [
            jnp.ones(value.shape, bool)
            if mask is None
            else jnp.broadcast_to(
                mask.reshape(mask.shape + (1,) * (value.ndim - mask.ndim)), value.shape
            )
            for value, mask in zip(values, masks, strict=True)
        ]
        return jnp.any(self.merged(whole), axis=-1)


class Dot(Merge):
    """The dot product of two inputs, sample by sample, along one axis of each.

    Args:
        axes: The axis of both, or a pair of axes, batch axis counted; not the batch axis.
        normalize: Whether to divide by the norms along these axes first, which gives the cosine of
            the angle between two vectors.

    Shapes: `(batch, …)` twice, to `(batch, *others of the first, *others of the second)`; to
    `(batch, 1)` where there are no others.

    Raises:
        TypeError: There are not two inputs.
        ValueError: The sizes of the two axes differ, or one is the batch axis or out of range.

    Source: Keras's page "Dot layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Dot(axes=(1, 2)).apply({}, {}, jnp.ones((2, 3, 5)), jnp.ones((2, 10, 3)))
    >>> outputs.shape
    (2, 5, 10)
    """

    rows_independent = True

    axes: int | tuple[int, int]
    normalize: bool = False

    exactly_two = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.axes, list | tuple):
            self.axes = _sample_axis("Dot", "axes", self.axes)
            return
        if len(self.axes) != 2:
            raise ValueError(
                f"`Dot`: `axes` must be an integer or a pair of them, received {self.axes!r}."
            )
        first, second = (_sample_axis("Dot", f"axes[{i}]", self.axes[i]) for i in (0, 1))
        self.axes = (first, second)

    def check(self, values: list[Array]) -> None:
        """Raise ValueError if the two axes are not there, or of different sizes."""
        super().check(values)
        one, other = self._places(values)
        sizes = values[0].shape[one], values[1].shape[other]
        if sizes[0] != sizes[1]:
            why = f"the axes {(one, other)} to multiply along have sizes {sizes[0]} and {sizes[1]}"
            raise self.misfit(values, why)

    def merged(self, values: list[Array]) -> Array:
        """Return the products, summed along the axes."""
        one, other = self._places(values)
        if self.normalize:
            values = [_unit(values[0], one), _unit(values[1], other)]
        dtype = jnp.result_type(*values)
        first, second = (value.astype(dtype) for value in values)
        products = jax.lax.dot_general(first, second, (((one,), (other,)), ((0,), (0,))))
        return products[:, None] if products.ndim == 1 else products

    def _places(self, values: list[Array]) -> tuple[int, int]:
        pair = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        one, other = (
            _place(self, values, axis, value.ndim) for axis, value in zip(pair, values, strict=True)
        )
        return one, other


def add(inputs: Any, name: str | None = None) -> Any:
    """Call `Add` on a list: the sum, entry by entry."""
    return _called_on_a_list("add", Add(name=name), inputs)


def subtract(inputs: Any, name: str | None = None) -> Any:
    """Call `Subtract` on a list of two: the first minus the second, entry by entry."""
    return _called_on_a_list("subtract", Subtract(name=name), inputs)


def multiply(inputs: Any, name: str | None = None) -> Any:
    """Call `Multiply` on a list: the product, entry by entry."""
    return _called_on_a_list("multiply", Multiply(name=name), inputs)


def average(inputs: Any, name: str | None = None) -> Any:
    """Call `Average` on a list: the mean, entry by entry."""
    return _called_on_a_list("average", Average(name=name), inputs)


def maximum(inputs: Any, name: str | None = None) -> Any:
    """Call `Maximum` on a list: the largest, entry by entry."""
    return _called_on_a_list("maximum", Maximum(name=name), inputs)


def minimum(inputs: Any, name: str | None = None) -> Any:
    """Call `Minimum` on a list: the smallest, entry by entry."""
    return _called_on_a_list("minimum", Minimum(name=name), inputs)


def concatenate(inputs: Any, axis: int = -1, name: str | None = None) -> Any:
    """Call `Concatenate` on a list: one behind the other, along one axis."""
    return _called_on_a_list("concatenate", Concatenate(axis, name=name), inputs)


def dot(inputs: Any, axes: Any = -1, normalize: bool = False, name: str | None = None) -> Any:
    """Call `Dot` on a list of two: the dot product, sample by sample."""
    return _called_on_a_list("dot", Dot(axes, normalize, name=name), inputs)


def _called_on_a_list(function: str, layer: Any, inputs: Any) -> Any:
    if not isinstance(inputs, list | tuple):
        raise TypeError(
            f"`{function}` takes a list of inputs, received one of type "
            f"`{type(inputs).__name__}`. Write `{function}([one, other])`."
        )
    return layer(inputs)


def _sample_axis(owner: str, argument: str, axis: Any) -> int:
    """Return an axis as an int, or raise: it must be whole, and not the batch axis."""
    if not is_integer(axis):
        raise ValueError(f"`{owner}`: `{argument}` must be an integer, received {axis!r}.")
    if axis == 0:
        raise ValueError(
            f"`{owner}`: `{argument}` must not be 0, the batch axis: that would mix samples. "
            "Count axes from 1 or from the last, -1; to put batches together, call "
            "`jnp.concatenate` outside the network."
        )
    return int(axis)


def _place(layer: Merge, values: list[Array], axis: int, rank: int) -> int:
    """Return an axis counted from 0, or raise: it must be there, and not the batch axis."""
    place = axis + rank if axis < 0 else axis
    if not 0 < place < rank:
        batch = "is the batch axis" if place == 0 else "is not there"
        raise layer.misfit(values, f"axis {axis} of an input of {rank} axes {batch}")
    return place


def _unit(values: Array, axis: int) -> Array:
    """Return the values divided by their norms along an axis; zeros stay zeros."""
    # Squares are too large or too small for half precision.
    wide = values.astype(jnp.promote_types(values.dtype, jnp.float32))
    squares = jnp.sum(jnp.square(wide), axis=axis, keepdims=True)
    # Keras's bound on the norm, so that zeros have a gradient.
    unit = wide * jax.lax.rsqrt(jnp.maximum(squares, 1e-7**2))
    return unit.astype(values.dtype) if jnp.issubdtype(values.dtype, jnp.floating) else unit


def _shown(inputs: PyTree) -> str:
    """Return the shapes of inputs, or their types where they have none."""
    shown = [
        str(tuple(value.shape)) if hasattr(value, "shape") else f"`{type(value).__name__}`"
        for value in inputs
    ]
    return " and ".join(shown)
