"""Merge layers, which combine several inputs into one output."""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax.core.layer import Layer
from fjax.core.masking import merge_masks, split_mask, with_mask
from fjax.errors import is_integer
from fjax.traits import within_rows
from fjax.typing import Array, Key, Params, PyTree, State


class Merge(Layer):
    """Base class of the merge layers; a subclass defines `merge`, and may extend `check`."""

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
        """Return the merged inputs."""
        self._check_count(inputs)
        pairs = [split_mask(value) for value in inputs]
        values = [jnp.asarray(value) for value, _ in pairs]
        masks = [mask for _, mask in pairs]
        self.check(values)
        if all(mask is None for mask in masks):
            return self.merge(values), state
        merged = self.merge_masked(values, masks)
        return with_mask(merged, self.merge_masks(values, masks)), state

    def _check_count(self, inputs: tuple[Any, ...]) -> None:
        count = len(inputs)
        if count == 2 or (count > 2 and not self.exactly_two):
            return
        expected = "exactly" if self.exactly_two else "at least"
        received = f"{count} of shapes {_describe_shapes(inputs)}" if count else "0"
        raise TypeError(
            f"`{type(self).__name__}` takes {expected} 2 inputs, as separate arguments, received "
            f"{received}."
        )

    def check(self, values: list[Array]) -> None:
        """Raise ValueError if the shapes cannot be merged."""
        shapes = [value.shape for value in values]
        if any(len(shape) == 0 for shape in shapes):
            raise self.shape_error(values, "each needs a batch axis")
        if len({shape[0] for shape in shapes}) > 1:
            raise self.shape_error(values, "the batch axes, axis 0, must have equal sizes")

    def merge(self, values: list[Array]) -> Array:
        """Return the merged values; `check` has passed."""
        raise NotImplementedError(f"`{type(self).__name__}` does not define `merge`.")

    def merge_masked(self, values: list[Array], masks: list[Any]) -> Array:
        """Return the merged values of inputs of which some have a mask; by default, as `merge`.

        Args:
            values: The inputs; `check` has passed.
            masks: Their masks; None for an input without mask.
        """
        return self.merge(values)

    def merge_masks(self, values: list[Array], masks: list[Any]) -> Any:
        """Return the mask of the outputs, or None; called if any input has a mask.

        Args:
            values: The inputs.
            masks: Their masks; None for an input without mask.
        """
        return None

    def shape_error(self, values: list[Array], reason: str) -> ValueError:
        """Return the error for shapes that cannot be merged."""
        return ValueError(
            f"`{type(self).__name__}` cannot merge inputs of shapes {_describe_shapes(values)}: "
            f"{reason}."
        )


class Elementwise(Merge):
    """Base class of the merge layers that apply a binary operation entry by entry."""

    rows_independent = True

    operation: ClassVar[Any]

    def check(self, values: list[Array]) -> None:
        """Raise ValueError if the samples cannot be broadcast to a common shape."""
        super().check(values)
        try:
            jnp.broadcast_shapes(*(value.shape[1:] for value in values))
        except ValueError:
            reason = "counted from the last axis, the sizes of the samples must be equal or 1"
            raise self.shape_error(values, reason) from None

    def merge(self, values: list[Array]) -> Array:
        """Return the operation applied to all inputs in turn."""
        return functools.reduce(self.operation, _align(values))

    def merge_masks(self, values: list[Array], masks: list[Any]) -> Any:
        """Return the logical OR of the masks, or None if an input has no mask."""
        return merge_masks(masks)


class Add(Elementwise):
    """The sum of the inputs, entry by entry.

    Takes two or more inputs, as separate arguments. Their batch axes must have equal sizes. The
    samples are broadcast as in numpy: missing axes are inserted after the batch axis, with size 1.

    Shapes: `(batch, …)` each, to the common broadcast shape.

    Raises:
        TypeError: There are fewer than two inputs.
        ValueError: The shapes cannot be broadcast.

    Source: Keras's page "Add layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Add().apply({}, {}, jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[4.0, 7.0]]
    """

    operation = staticmethod(jnp.add)


class Subtract(Elementwise):
    """The first of two inputs minus the second, entry by entry; shapes as in `Add`.

    Raises:
        TypeError: There are not exactly two inputs.
        ValueError: The shapes cannot be broadcast.

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

    A masked entry is left out of the product. Where the entries of all inputs are masked, the
    product is 0.

    Source: Keras's page "Multiply layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Multiply().apply({}, {}, jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[3.0, 10.0]]
    """

    operation = staticmethod(jnp.multiply)

    def merge_masked(self, values: list[Array], masks: list[Any]) -> Array:
        """Return the product of the entries that count."""
        aligned, full_masks = _align(values), _full_masks(values, masks)
        product = self.merge(
            [
                value if mask is None else jnp.where(mask, value, jnp.ones((), value.dtype))
                for value, mask in zip(aligned, full_masks, strict=True)
            ]
        )
        counts = merge_masks(full_masks)
        return product if counts is None else jnp.where(counts, product, 0)


class Average(Elementwise):
    """The mean of the inputs, entry by entry; inputs, shapes and errors as in `Add`.

    Source: Keras's page "Average layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Average().apply({}, {}, jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[2.0, 3.5]]
    """

    operation = staticmethod(jnp.add)

    def merge(self, values: list[Array]) -> Array:
        """Return the sum divided by the number of inputs."""
        return super().merge(values) / len(values)


class Extremum(Elementwise):
    """Base class of `Maximum` and `Minimum`, which have no neutral entry to put at a mask."""

    def merge_masked(self, values: list[Array], masks: list[Any]) -> Array:
        """Return the extremum of the entries that count."""
        pairs = zip(_align(values), _full_masks(values, masks), strict=True)
        merged, counts = next(pairs)
        for value, mask in pairs:
            replaced = value if mask is None else jnp.where(mask, value, merged)
            merged = merged if counts is None else jnp.where(counts, merged, replaced)
            merged, counts = self.operation(merged, replaced), merge_masks([counts, mask])
        return merged


class Maximum(Extremum):
    """The maximum of the inputs, entry by entry; inputs, shapes and errors as in `Add`.

    A masked entry is left out if another input has one that counts.

    Source: Keras's page "Maximum layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Maximum().apply({}, {}, jnp.array([[1.0, 9.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[3.0, 9.0]]
    """

    operation = staticmethod(jnp.maximum)


class Minimum(Extremum):
    """The minimum of the inputs, entry by entry; inputs, shapes and errors as in `Add`.

    A masked entry is left out if another input has one that counts.

    Source: Keras's page "Minimum layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Minimum().apply({}, {}, jnp.array([[1.0, 9.0]]), jnp.array([[3.0, 5.0]]))
    >>> outputs.tolist()
    [[1.0, 5.0]]
    """

    operation = staticmethod(jnp.minimum)


class Concatenate(Merge):
    """The concatenation of the inputs along one axis.

    Args:
        axis: The axis, where 0 is the batch axis, which is not allowed: the number of samples must
            not change. To concatenate batches, call `jnp.concatenate` outside the network.

    Shapes: `(batch, …)` each, with equal sizes on all axes but `axis`, where the sizes add up.

    Raises:
        TypeError: There are fewer than two inputs.
        ValueError: Other axes differ in size, or `axis` is the batch axis or out of range.

    Source: Keras's page "Concatenate layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Concatenate().apply({}, {}, jnp.zeros((32, 3)), jnp.zeros((32, 5)))
    >>> outputs.shape
    (32, 8)
    """

    axis: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.axis = _check_sample_axis("Concatenate", "axis", self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is known not to be the batch axis."""
        return within_rows(self.axis)

    def check(self, values: list[Array]) -> None:
        """Raise ValueError if the sizes of other axes differ, or if the axis does not exist."""
        super().check(values)
        if len({value.ndim for value in values}) > 1:
            raise self.shape_error(values, "all must have the same number of axes")
        axis = _resolve_axis(self, values, self.axis, values[0].ndim)
        if len({value.shape[:axis] + value.shape[axis + 1 :] for value in values}) > 1:
            reason = f"all axes but axis {self.axis} must have equal sizes"
            raise self.shape_error(values, reason)

    def merge(self, values: list[Array]) -> Array:
        """Return the concatenated inputs."""
        return jnp.concatenate(values, axis=self.axis)

    def merge_masks(self, values: list[Array], masks: list[Any]) -> Any:
        """Return the concatenated masks; a step counts if any of its features does."""
        full_masks = [_full_mask(value, mask) for value, mask in zip(values, masks, strict=True)]
        return jnp.any(self.merge(full_masks), axis=-1)


class Dot(Merge):
    """The dot product of two inputs along one axis of each, sample by sample.

    Args:
        axes: The axis of both inputs, or a pair of axes; 0 is the batch axis, which is not allowed.
        normalize: Whether to divide by the norms along these axes first, which gives the cosine of
            the angle between two vectors.

    Shapes: `(batch, …)` twice, to `(batch, *other axes of the first, *other axes of the second)`,
    or to `(batch, 1)` if there are no other axes.

    Raises:
        TypeError: There are not exactly two inputs.
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
            self.axes = _check_sample_axis("Dot", "axes", self.axes)
            return
        if len(self.axes) != 2:
            raise ValueError(
                f"`Dot`: `axes` must be an integer or a pair of them, received {self.axes!r}."
            )
        first, second = (_check_sample_axis("Dot", f"axes[{i}]", self.axes[i]) for i in (0, 1))
        self.axes = (first, second)

    def check(self, values: list[Array]) -> None:
        """Raise ValueError if an axis does not exist, or if the sizes of the axes differ."""
        super().check(values)
        axes = self._resolve_axes(values)
        sizes = [value.shape[axis] for value, axis in zip(values, axes, strict=True)]
        if sizes[0] != sizes[1]:
            reason = f"the axes {axes} to multiply along have sizes {sizes[0]} and {sizes[1]}"
            raise self.shape_error(values, reason)

    def merge(self, values: list[Array]) -> Array:
        """Return the dot products along the axes."""
        axes = self._resolve_axes(values)
        if self.normalize:
            values = [_normalize(value, axis) for value, axis in zip(values, axes, strict=True)]
        dtype = jnp.result_type(*values)
        first, second = (value.astype(dtype) for value in values)
        contracted = ((axes[0],), (axes[1],))
        products = jax.lax.dot_general(first, second, (contracted, ((0,), (0,))))
        return products[:, None] if products.ndim == 1 else products

    def _resolve_axes(self, values: list[Array]) -> tuple[int, int]:
        axes = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        first, second = (
            _resolve_axis(self, values, axis, value.ndim)
            for axis, value in zip(axes, values, strict=True)
        )
        return first, second


def _check_sample_axis(owner: str, argument: str, axis: Any) -> int:
    """Return an axis as an int, or raise if it is not an integer or is the batch axis."""
    if not is_integer(axis):
        raise ValueError(f"`{owner}`: `{argument}` must be an integer, received {axis!r}.")
    if axis == 0:
        raise ValueError(
            f"`{owner}`: `{argument}` must not be 0, the batch axis: that would mix samples. "
            "Count axes from 1, or backward from -1; to concatenate batches, call "
            "`jnp.concatenate` outside the network."
        )
    return int(axis)


def _resolve_axis(layer: Merge, values: list[Array], axis: int, rank: int) -> int:
    """Return an axis counted from 0, or raise if it does not exist or is the batch axis."""
    resolved = axis + rank if axis < 0 else axis
    if not 0 < resolved < rank:
        problem = "is the batch axis" if resolved == 0 else "does not exist"
        raise layer.shape_error(values, f"axis {axis} of an input of {rank} axes {problem}")
    return resolved


def _align(values: list[Array]) -> list[Array]:
    """Return the values with equal numbers of axes; new axes follow the batch axis."""
    rank = max(value.ndim for value in values)
    return [jnp.expand_dims(value, tuple(range(1, 1 + rank - value.ndim))) for value in values]


def _full_masks(values: list[Array], masks: list[Any]) -> list[Any]:
    """Return each mask with the shape of its value; as in Keras, none for one that is expanded."""
    rank = max(value.ndim for value in values)
    return [
        None if mask is None or value.ndim < rank else _full_mask(value, mask)
        for value, mask in zip(values, masks, strict=True)
    ]


def _full_mask(value: Array, mask: Any) -> Array:
    """Return a mask with the shape of the value; True everywhere if the mask is None."""
    if mask is None:
        return jnp.ones(value.shape, bool)
    mask = mask.reshape(mask.shape + (1,) * (value.ndim - mask.ndim))
    return jnp.broadcast_to(mask, value.shape)


def _normalize(values: Array, axis: int) -> Array:
    """Return the values divided by their norms along an axis; zeros stay zeros."""
    # Squares may overflow or underflow in half precision.
    wide = values.astype(jnp.promote_types(values.dtype, jnp.float32))
    squares = jnp.sum(jnp.square(wide), axis=axis, keepdims=True)
    # Keras's lower bound of the norm; it keeps the gradient at zero finite.
    unit = wide * jax.lax.rsqrt(jnp.maximum(squares, 1e-7**2))
    return unit.astype(values.dtype) if jnp.issubdtype(values.dtype, jnp.floating) else unit


def _describe_shapes(inputs: PyTree) -> str:
    """Return the shapes of inputs as text, or the types of inputs without a shape."""
    shapes = [
        str(tuple(value.shape)) if hasattr(value, "shape") else f"`{type(value).__name__}`"
        for value in inputs
    ]
    return " and ".join(shapes)
