"""Layers that put zeros around, or cut away the rim."""

from typing import Any, ClassVar

import jax.numpy as jnp

from fjax.configuration import field
from fjax.core.checks import only
from fjax.core.layer import Layer
from fjax.layers.spatial import around, check_rank, checked_format, pairs
from fjax.typing import Array, Key, Params, State


class ZeroPadding(Layer):
    """Base of the paddings; a subclass says by `axes` how many axes it goes over."""

    rows_independent = True

    axes: ClassVar[int]

    padding: Any = 1
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        found = pairs(owner, "padding", self.padding, self.axes)
        self.padding = found if self.axes > 1 else found[0]
        self.data_format = checked_format(owner, self.data_format)

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
        values = only(owner, inputs)
        check_rank(owner, values.shape, self.axes, self.data_format)
        rim = pairs(owner, "padding", self.padding, self.axes)
        return jnp.pad(values, around(self.data_format, rim)), state


class ZeroPadding1D(ZeroPadding):
    """Put zeros before and behind sequences.

    Args:
        padding: How many at both ends, or a pair for (before, behind).
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, time, channels)` to `(batch, before + time + behind, channels)`.

    Raises:
        ValueError: `padding` is of another form or negative, or the inputs do not have 3 axes.

    Source: Keras's page "ZeroPadding1D layer".

    >>> import jax.numpy as jnp
    >>> ZeroPadding1D((1, 2)).apply({}, {}, jnp.ones((1, 2, 1)))[0].ravel().tolist()
    [0.0, 1.0, 1.0, 0.0, 0.0]
    """

    axes = 1


class ZeroPadding2D(ZeroPadding):
    """Put zeros around images.

    Args:
        padding: How many at all sides; or one for each of (height, width), a number for both of its
            ends or a pair.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)`, or with channels first, to larger images.

    Raises:
        ValueError: `padding` is of another form or negative, or the inputs do not have 4 axes.

    Source: Keras's page "ZeroPadding2D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = ZeroPadding2D((1, (0, 2))).apply({}, {}, jnp.ones((32, 28, 28, 3)))
    >>> outputs.shape
    (32, 30, 30, 3)
    """

    axes = 2


class ZeroPadding3D(ZeroPadding):
    """Put zeros around volumes; arguments, errors and source as `ZeroPadding2D`.

    Shapes: `(batch, depth, height, width, channels)`, or with channels first, to larger images.

    >>> import jax.numpy as jnp
    >>> outputs, _ = ZeroPadding3D((1, 0, (0, 2))).apply({}, {}, jnp.ones((8, 2, 3, 4, 1)))
    >>> outputs.shape
    (8, 4, 3, 6, 1)
    """

    axes = 3


class Cropping(Layer):
    """Base of the croppings; a subclass says by `axes` how many axes it goes over."""

    rows_independent = True

    axes: ClassVar[int]

    cropping: Any = 0
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        found = pairs(owner, "cropping", self.cropping, self.axes)
        self.cropping = found if self.axes > 1 else found[0]
        self.data_format = checked_format(owner, self.data_format)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs without their rim."""
        owner = type(self).__name__
        values = only(owner, inputs)
        check_rank(owner, values.shape, self.axes, self.data_format)
        cuts = around(self.data_format, pairs(owner, "cropping", self.cropping, self.axes))
        if any(sum(cut) >= size > 0 for cut, size in zip(cuts, values.shape, strict=True)):
            raise ValueError(
                f"`{owner}`: `cropping` {self.cropping} leaves nothing of inputs of shape "
                f"{tuple(values.shape)}."
            )
        sizes = zip(cuts, values.shape, strict=True)
        kept = tuple(slice(before, size - behind) for (before, behind), size in sizes)
        return values[kept], state


class Cropping1D(Cropping):
    """Cut sequences at both ends.

    Args:
        cropping: How many steps at both ends, or a pair for (before, behind).

    Shapes: `(batch, time, channels)` to `(batch, time - before - behind, channels)`.

    Raises:
        ValueError: `cropping` is of another form or negative, leaves nothing, or the inputs do not
            have 3 axes.

    Source: Keras's page "Cropping1D layer".

    >>> import jax.numpy as jnp
    >>> Cropping1D((1, 2)).apply({}, {}, jnp.arange(5.0).reshape(1, 5, 1))[0].ravel().tolist()
    [1.0, 2.0]
    """

    axes = 1

    cropping: Any = (1, 1)
    data_format: str | None = field(default=None, init=False, repr=False)


class Cropping2D(Cropping):
    """Cut images at their sides.

    Args:
        cropping: How much at all sides; or one for each of (height, width), a number for both of
            its ends or a pair.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)`, or with the channels first, to smaller ones.

    Raises:
        ValueError: As of `Cropping1D`, for inputs of 4 axes.

    Source: Keras's page "Cropping2D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Cropping2D((2, (0, 4))).apply({}, {}, jnp.ones((32, 28, 28, 3)))
    >>> outputs.shape
    (32, 24, 24, 3)
    """

    axes = 2

    cropping: Any = ((0, 0), (0, 0))


class Cropping3D(Cropping):
    """Cut volumes at their sides; arguments, errors and source as `Cropping2D`.

    Shapes: `(batch, depth, height, width, channels)`, or with the channels first, to smaller ones.

    >>> import jax.numpy as jnp
    >>> outputs, _ = Cropping3D().apply({}, {}, jnp.ones((8, 5, 6, 7, 1)))
    >>> outputs.shape
    (8, 3, 4, 5, 1)
    """

    axes = 3

    cropping: Any = ((1, 1), (1, 1), (1, 1))
