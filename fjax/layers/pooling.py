"""Pooling layers, and the base class that they share."""

from collections.abc import Callable
from typing import ClassVar

from fjax.layers.spatial import SpatialLayer
from fjax.layers.windows import Sizes, check_windows_fit, resolve_padding, resolve_sizes
from fjax.lowering import average_pooling, max_pooling
from fjax.typing import Array, Identifier, Params, Shape


class Pooling(SpatialLayer):
    """Base class of the pooling layers; `rank` is the number of spatial axes."""

    pool: ClassVar[Callable[..., Array]]

    pool_size: Sizes
    strides: Sizes = None
    padding: str = "valid"
    data_format: Identifier = "channels_last"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pool_size = resolve_sizes(self.kind, "pool_size", self.pool_size, self.rank)
        steps = self.pool_size if self.strides is None else self.strides
        self.strides = resolve_sizes(self.kind, "strides", steps, self.rank)
        self.padding = resolve_padding(self.kind, self.padding)

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless inputs have the axes that the layer needs, and fit the window."""
        super().check_shape(shape)
        check_windows_fit(
            self.kind, shape, self.pool_size, self.strides, self.padding, self.data_format
        )

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the maximum or average of each window, channel by channel."""
        return type(self).pool(
            values,
            window=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )


class MaxPooling1D(Pooling):
    """The maximum of each window over one axis, such as time.

    Args:
        pool_size: The size of the window, an integer or a tuple of one.
        strides: The step between windows, in the same form; None means `pool_size`, so that windows
            do not overlap.
        padding: "valid" (no padding; incomplete windows are dropped) or "same" (padding that counts
            neither in the maximum nor in the average); case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".

    Shapes: `(batch, steps, channels)` to `(batch, new_steps, channels)`.

    Raises:
        ValueError: An argument is out of range; the inputs have the wrong number of axes, or are
            smaller than the window.

    Source: Keras's page "MaxPooling1D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = MaxPooling1D(2).apply({}, {}, jnp.ones((4, 7, 3)))
    >>> outputs.shape
    (4, 3, 3)
    """

    rank: ClassVar[int] = 1
    pool: ClassVar[Callable[..., Array]] = staticmethod(max_pooling)

    pool_size: Sizes = 2


class MaxPooling2D(Pooling):
    """The maximum of each window over height and width.

    Args:
        pool_size: The size of the window, an integer or a tuple of two.
        strides: The step between windows, in the same form; None means `pool_size`, so that windows
            do not overlap.
        padding: "valid" (no padding; incomplete windows are dropped) or "same" (padding that counts
            neither in the maximum nor in the average); case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, channels)`.

    Raises:
        ValueError: An argument is out of range; the inputs have the wrong number of axes, or are
            smaller than the window.

    Source: Keras's page "MaxPooling2D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = MaxPooling2D(2).apply({}, {}, jnp.ones((4, 7, 7, 3)))
    >>> outputs.shape
    (4, 3, 3, 3)
    """

    rank: ClassVar[int] = 2
    pool: ClassVar[Callable[..., Array]] = staticmethod(max_pooling)

    pool_size: Sizes = (2, 2)


class MaxPooling3D(Pooling):
    """The maximum of each window over depth, height and width.

    Args:
        pool_size: The size of the window, an integer or a tuple of three.
        strides: The step between windows, in the same form; None means `pool_size`, so that windows
            do not overlap.
        padding: "valid" (no padding; incomplete windows are dropped) or "same" (padding that counts
            neither in the maximum nor in the average); case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".

    Shapes: `(batch, depth, height, width, channels)` to
    `(batch, new_depth, new_height, new_width, channels)`.

    Raises:
        ValueError: An argument is out of range; the inputs have the wrong number of axes, or are
            smaller than the window.

    Source: Keras's page "MaxPooling3D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = MaxPooling3D(2).apply({}, {}, jnp.ones((4, 7, 7, 7, 3)))
    >>> outputs.shape
    (4, 3, 3, 3, 3)
    """

    rank: ClassVar[int] = 3
    pool: ClassVar[Callable[..., Array]] = staticmethod(max_pooling)

    pool_size: Sizes = (2, 2, 2)


class AveragePooling1D(Pooling):
    """The average of each window over one axis, such as time.

    Args:
        pool_size: The size of the window, an integer or a tuple of one.
        strides: The step between windows, in the same form; None means `pool_size`, so that windows
            do not overlap.
        padding: "valid" (no padding; incomplete windows are dropped) or "same" (padding that counts
            neither in the maximum nor in the average); case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".

    Shapes: `(batch, steps, channels)` to `(batch, new_steps, channels)`.

    Raises:
        ValueError: An argument is out of range; the inputs have the wrong number of axes, or are
            smaller than the window.

    Source: Keras's page "AveragePooling1D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = AveragePooling1D(2).apply({}, {}, jnp.ones((4, 7, 3)))
    >>> outputs.shape
    (4, 3, 3)
    """

    rank: ClassVar[int] = 1
    pool: ClassVar[Callable[..., Array]] = staticmethod(average_pooling)


class AveragePooling2D(Pooling):
    """The average of each window over height and width.

    Args:
        pool_size: The size of the window, an integer or a tuple of two.
        strides: The step between windows, in the same form; None means `pool_size`, so that windows
            do not overlap.
        padding: "valid" (no padding; incomplete windows are dropped) or "same" (padding that counts
            neither in the maximum nor in the average); case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, channels)`.

    Raises:
        ValueError: An argument is out of range; the inputs have the wrong number of axes, or are
            smaller than the window.

    Source: Keras's page "AveragePooling2D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = AveragePooling2D(2).apply({}, {}, jnp.ones((4, 7, 7, 3)))
    >>> outputs.shape
    (4, 3, 3, 3)
    """

    rank: ClassVar[int] = 2
    pool: ClassVar[Callable[..., Array]] = staticmethod(average_pooling)


class AveragePooling3D(Pooling):
    """The average of each window over depth, height and width.

    Args:
        pool_size: The size of the window, an integer or a tuple of three.
        strides: The step between windows, in the same form; None means `pool_size`, so that windows
            do not overlap.
        padding: "valid" (no padding; incomplete windows are dropped) or "same" (padding that counts
            neither in the maximum nor in the average); case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".

    Shapes: `(batch, depth, height, width, channels)` to
    `(batch, new_depth, new_height, new_width, channels)`.

    Raises:
        ValueError: An argument is out of range; the inputs have the wrong number of axes, or are
            smaller than the window.

    Source: Keras's page "AveragePooling3D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = AveragePooling3D(2).apply({}, {}, jnp.ones((4, 7, 7, 7, 3)))
    >>> outputs.shape
    (4, 3, 3, 3, 3)
    """

    rank: ClassVar[int] = 3
    pool: ClassVar[Callable[..., Array]] = staticmethod(average_pooling)


MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
