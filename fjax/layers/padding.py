"""Layers that add zeros around their inputs, or crop them."""

from typing import Any, ClassVar

import jax.numpy as jnp

from fjax.configuration import field
from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.layers.spatial import check_rank, extend_pairs, resolve_data_format, resolve_pairs
from fjax.typing import Array, Key, Params, State


class ZeroPadding(Layer):
    """Base class of the padding layers; `rank` is the number of spatial axes."""

    rows_independent = True

    rank: ClassVar[int]

    padding: Any = 1
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        ends = resolve_pairs(owner, "padding", self.padding, self.rank)
        self.padding = ends if self.rank > 1 else ends[0]
        self.data_format = resolve_data_format(owner, self.data_format)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs with zeros around them."""
        owner = type(self).__name__
        values = single_input(owner, inputs)
        check_rank(owner, values.shape, self.rank, self.data_format)
        ends = resolve_pairs(owner, "padding", self.padding, self.rank)
        return jnp.pad(values, extend_pairs(self.data_format, ends)), state


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


class Cropping(Layer):
    """Base class of the cropping layers; `rank` is the number of spatial axes."""

    rows_independent = True

    rank: ClassVar[int]

    cropping: Any = 0
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        ends = resolve_pairs(owner, "cropping", self.cropping, self.rank)
        self.cropping = ends if self.rank > 1 else ends[0]
        self.data_format = resolve_data_format(owner, self.data_format)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the cropped inputs."""
        owner = type(self).__name__
        values = single_input(owner, inputs)
        check_rank(owner, values.shape, self.rank, self.data_format)
        cuts = extend_pairs(
            self.data_format, resolve_pairs(owner, "cropping", self.cropping, self.rank)
        )
        if any(sum(cut) >= size > 0 for cut, size in zip(cuts, values.shape, strict=True)):
            raise ValueError(
                f"`{owner}`: `cropping` {self.cropping} leaves nothing of inputs of shape "
                f"{tuple(values.shape)}."
            )
        cuts_and_sizes = zip(cuts, values.shape, strict=True)
        kept = tuple(slice(before, size - after) for (before, after), size in cuts_and_sizes)
        return values[kept], state


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
