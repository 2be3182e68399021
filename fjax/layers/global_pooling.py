"""Global pooling layers, which reduce each channel to one number."""

from typing import ClassVar

import jax.numpy as jnp

from fjax.core.masking import check_mask, split_mask
from fjax.layers.spatial import SpatialLayer
from fjax.lowering.windows import spatial_axes
from fjax.typing import Array, Identifier, Params, Shape


class GlobalPooling(SpatialLayer):
    """Base class of the global pooling layers; `rank` is the number of spatial axes."""

    data_format: Identifier = "channels_last"
    keepdims: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.keepdims, bool):
            raise ValueError(
                f"`{self.kind}`: `keepdims` must be True or False, received {self.keepdims!r}."
            )

    @property
    def axes(self) -> tuple[int, ...]:
        """The spatial axes."""
        return tuple(spatial_axes(self.rank, self.data_format))

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless inputs have the axes that the layer needs, and are not empty."""
        super().check_shape(shape)
        if any(shape[axis] == 0 for axis in self.axes):
            raise ValueError(
                f"`{self.kind}` received inputs of shape {tuple(shape)}, which are empty along a "
                "spatial axis. Use inputs that are not empty."
            )


class GlobalMaxPooling(GlobalPooling):
    """Base class of the global max pooling layers."""

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the maximum of each channel."""
        return jnp.max(values, self.axes, keepdims=self.keepdims)


class GlobalAveragePooling(GlobalPooling):
    """Base class of the global average pooling layers."""

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the average of each channel."""
        values, mask = split_mask(values)
        if mask is None:
            return jnp.mean(values, self.axes, keepdims=self.keepdims)
        channel_axis = 2 if self.data_format == "channels_last" else 1
        # A mask has the axes of the values except for the channel axis.
        one_channel = jnp.take(values, 0, axis=channel_axis)
        mask = check_mask(self.kind, one_channel, mask)
        mask = jnp.expand_dims(mask, channel_axis)
        total = jnp.sum(jnp.where(mask, values, 0), self.axes, keepdims=self.keepdims)
        count = jnp.sum(mask.astype(values.dtype), self.axes, keepdims=self.keepdims)
        return total / count


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The maximum of each channel over one axis, such as time.

    Args:
        data_format: "channels_last" (default, also for None) or "channels_first".
        keepdims: Whether to keep the pooled axes, with size 1.

    Shapes: `(batch, steps, channels)` to `(batch, channels)`.

    Raises:
        ValueError: The inputs have the wrong number of axes, or a pooled axis of size 0.

    Source: Keras's page "GlobalMaxPooling1D layer".

    >>> import jax.numpy as jnp
    >>> GlobalMaxPooling1D().apply({}, {}, jnp.ones((4, 7, 3)))[0].shape
    (4, 3)
    """

    rank: ClassVar[int] = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The maximum of each channel over height and width.

    Args:
        data_format: "channels_last" (default, also for None) or "channels_first".
        keepdims: Whether to keep the pooled axes, with size 1.

    Shapes: `(batch, height, width, channels)` to `(batch, channels)`.

    Raises:
        ValueError: The inputs have the wrong number of axes, or a pooled axis of size 0.

    Source: Keras's page "GlobalMaxPooling2D layer".

    >>> import jax.numpy as jnp
    >>> GlobalMaxPooling2D().apply({}, {}, jnp.ones((4, 7, 7, 3)))[0].shape
    (4, 3)
    """

    rank: ClassVar[int] = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The maximum of each channel over depth, height and width.

    Args:
        data_format: "channels_last" (default, also for None) or "channels_first".
        keepdims: Whether to keep the pooled axes, with size 1.

    Shapes: `(batch, depth, height, width, channels)` to `(batch, channels)`.

    Raises:
        ValueError: The inputs have the wrong number of axes, or a pooled axis of size 0.

    Source: Keras's page "GlobalMaxPooling3D layer".

    >>> import jax.numpy as jnp
    >>> GlobalMaxPooling3D().apply({}, {}, jnp.ones((4, 7, 7, 7, 3)))[0].shape
    (4, 3)
    """

    rank: ClassVar[int] = 3


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The average of each channel over one axis, such as time.

    Masked steps are ignored. A sample whose steps are all masked gives NaN, as in Keras.

    Args:
        data_format: "channels_last" (default, also for None) or "channels_first".
        keepdims: Whether to keep the pooled axes, with size 1.

    Shapes: `(batch, steps, channels)` to `(batch, channels)`.

    Raises:
        ValueError: The inputs have the wrong number of axes, or a pooled axis of size 0.

    Source: Keras's page "GlobalAveragePooling1D layer".

    >>> import jax.numpy as jnp
    >>> GlobalAveragePooling1D().apply({}, {}, jnp.ones((4, 7, 3)))[0].shape
    (4, 3)
    """

    rank: ClassVar[int] = 1
    masking: ClassVar[str] = "takes"
    call_parameters = ("inputs", "mask")


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The average of each channel over height and width.

    Args:
        data_format: "channels_last" (default, also for None) or "channels_first".
        keepdims: Whether to keep the pooled axes, with size 1.

    Shapes: `(batch, height, width, channels)` to `(batch, channels)`.

    Raises:
        ValueError: The inputs have the wrong number of axes, or a pooled axis of size 0.

    Source: Keras's page "GlobalAveragePooling2D layer".

    >>> import jax.numpy as jnp
    >>> GlobalAveragePooling2D().apply({}, {}, jnp.ones((4, 7, 7, 3)))[0].shape
    (4, 3)
    """

    rank: ClassVar[int] = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The average of each channel over depth, height and width.

    Args:
        data_format: "channels_last" (default, also for None) or "channels_first".
        keepdims: Whether to keep the pooled axes, with size 1.

    Shapes: `(batch, depth, height, width, channels)` to `(batch, channels)`.

    Raises:
        ValueError: The inputs have the wrong number of axes, or a pooled axis of size 0.

    Source: Keras's page "GlobalAveragePooling3D layer".

    >>> import jax.numpy as jnp
    >>> GlobalAveragePooling3D().apply({}, {}, jnp.ones((4, 7, 7, 7, 3)))[0].shape
    (4, 3)
    """

    rank: ClassVar[int] = 3


GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
