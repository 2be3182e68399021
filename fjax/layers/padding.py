"""Layers that add zeros around their inputs, or crop them."""

from typing import Any, ClassVar

import jax.numpy as jnp

from fjax.configuration import field
from fjax.layers.spatial import SpatialLayer, extend_pairs, resolve_pairs
from fjax.typing import Array, Params


class EndsLayer(SpatialLayer):
    """Base class of the layers that change both ends of each spatial axis, by one field of pairs.

    A subclass has the field that `ends_field` names, and defines `change_ends`.
    """

    ends_field: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        ends = self._ends()
        setattr(self, self.ends_field, ends if self.rank > 1 else ends[0])

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the inputs with other ends."""
        return self.change_ends(values, extend_pairs(self.data_format, self._ends()))

    def change_ends(self, values: Array, ends: list[tuple[int, int]]) -> Array:
        """Return the values with other ends, given a pair (before, after) for each axis."""
        raise NotImplementedError(f"`{self.kind}` defines no `change_ends`.")

    def _ends(self) -> tuple[tuple[int, int], ...]:
        return resolve_pairs(self.kind, self.ends_field, getattr(self, self.ends_field), self.rank)


class ZeroPadding(EndsLayer):
    """Base class of the padding layers; `rank` is the number of spatial axes."""

    ends_field = "padding"

    padding: Any = 1
    data_format: str | None = None

    def change_ends(self, values: Array, ends: list[tuple[int, int]]) -> Array:
        """Return the inputs with zeros around them."""
        return jnp.pad(values, ends)


class ZeroPadding1D(ZeroPadding):
    """Add zeros at both ends of sequences.

    Args:
        padding: The number of zeros at both ends, or a pair (before, after).
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, time, channels)` to `(batch, before + time + after, channels)`.

    Raises:
        ValueError: `padding` has another form or is negative, or the inputs do not have 3 axes.

    Source: Keras's page "ZeroPadding1D layer".

    >>> import jax.numpy as jnp
    >>> ZeroPadding1D((1, 2)).apply({}, {}, jnp.ones((1, 2, 1)))[0].ravel().tolist()
    [0.0, 1.0, 1.0, 0.0, 0.0]
    """

    rank = 1


class ZeroPadding2D(ZeroPadding):
    """Add zeros around images.

    Args:
        padding: The number of zeros on all sides; or for each of (height, width) the number at both
            ends, or a pair (before, after).
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)`, or with channels first, to larger images.

    Raises:
        ValueError: `padding` has another form or is negative, or the inputs do not have 4 axes.

    Source: Keras's page "ZeroPadding2D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = ZeroPadding2D((1, (0, 2))).apply({}, {}, jnp.ones((32, 28, 28, 3)))
    >>> outputs.shape
    (32, 30, 30, 3)
    """

    rank = 2


class ZeroPadding3D(ZeroPadding):
    """Add zeros around volumes; arguments, errors and source as for `ZeroPadding2D`.

    Shapes: `(batch, depth, height, width, channels)`, or with channels first, to larger volumes.

    >>> import jax.numpy as jnp
    >>> outputs, _ = ZeroPadding3D((1, 0, (0, 2))).apply({}, {}, jnp.ones((8, 2, 3, 4, 1)))
    >>> outputs.shape
    (8, 4, 3, 6, 1)
    """

    rank = 3


class Cropping(EndsLayer):
    """Base class of the cropping layers; `rank` is the number of spatial axes."""

    ends_field = "cropping"

    cropping: Any = 0
    data_format: str | None = None

    def change_ends(self, values: Array, ends: list[tuple[int, int]]) -> Array:
        """Return the cropped inputs."""
        if any(sum(cut) >= size > 0 for cut, size in zip(ends, values.shape, strict=True)):
            raise ValueError(
                f"`{self.kind}`: `cropping` {self.cropping} leaves nothing of inputs of shape "
                f"{tuple(values.shape)}."
            )
        cuts_and_sizes = zip(ends, values.shape, strict=True)
        return values[tuple(slice(start, size - end) for (start, end), size in cuts_and_sizes)]


class Cropping1D(Cropping):
    """Remove steps from both ends of sequences.

    Args:
        cropping: The number of steps to remove from both ends, or a pair (before, after).

    Shapes: `(batch, time, channels)` to `(batch, time - before - after, channels)`.

    Raises:
        ValueError: `cropping` has another form, is negative or leaves nothing, or the inputs do not
            have 3 axes.

    Source: Keras's page "Cropping1D layer".

    >>> import jax.numpy as jnp
    >>> Cropping1D((1, 2)).apply({}, {}, jnp.arange(5.0).reshape(1, 5, 1))[0].ravel().tolist()
    [1.0, 2.0]
    """

    rank = 1

    cropping: Any = (1, 1)
    data_format: str | None = field(default=None, init=False, repr=False)


class Cropping2D(Cropping):
    """Remove pixels from the sides of images.

    Args:
        cropping: The number of pixels to remove from all sides; or for each of (height, width) the
            number at both ends, or a pair (before, after).
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)`, or with channels first, to smaller images.

    Raises:
        ValueError: As for `Cropping1D`, for inputs of 4 axes.

    Source: Keras's page "Cropping2D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Cropping2D((2, (0, 4))).apply({}, {}, jnp.ones((32, 28, 28, 3)))
    >>> outputs.shape
    (32, 24, 24, 3)
    """

    rank = 2

    cropping: Any = ((0, 0), (0, 0))


class Cropping3D(Cropping):
    """Remove entries from the sides of volumes; arguments, errors and source as for `Cropping2D`.

    Shapes: `(batch, depth, height, width, channels)`, or with channels first, to smaller volumes.

    >>> import jax.numpy as jnp
    >>> outputs, _ = Cropping3D().apply({}, {}, jnp.ones((8, 5, 6, 7, 1)))
    >>> outputs.shape
    (8, 3, 4, 5, 1)
    """

    rank = 3

    cropping: Any = ((1, 1), (1, 1), (1, 1))
