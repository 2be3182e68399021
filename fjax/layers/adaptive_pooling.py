"""Pooling layers whose outputs have a given size."""

from typing import ClassVar

from fjax.layers.spatial import SpatialLayer
from fjax.layers.windows import Sizes, resolve_sizes
from fjax.lowering import adaptive_pooling
from fjax.typing import Array, Identifier, Params, Shape


class AdaptivePooling(SpatialLayer):
    """Base class of the adaptive pooling layers; `rank` is the number of spatial axes."""

    takes_mean: ClassVar[bool]

    output_size: Sizes
    data_format: Identifier = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.output_size = resolve_sizes(self.kind, "output_size", self.output_size, self.rank)

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless inputs have the axes that the layer needs, none of them empty."""
        super().check_shape(shape)
        if 0 in shape[1:]:
            raise ValueError(
                f"`{self.kind}` needs inputs that are not empty, received the shape {tuple(shape)}."
            )

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the mean or the maximum of each window, channel by channel."""
        return adaptive_pooling(
            values, self.output_size, mean=self.takes_mean, data_format=self.data_format
        )


class AdaptiveAveragePooling1D(AdaptivePooling):
    """The mean of each of a given number of parts of sequences.

    Arguments, errors and parts as for `AdaptiveAveragePooling2D`.

    Shapes: `(batch, steps, channels)` to `(batch, new_steps, channels)`; or with
    channels first.

    Source: Keras's page "AdaptiveAveragePooling1D layer".

    >>> import jax.numpy as jnp
    >>> AdaptiveAveragePooling1D(2)(jnp.ones((4, 7, 3))).shape
    (4, 2, 3)
    """

    rank = 1
    takes_mean = True


class AdaptiveAveragePooling2D(AdaptivePooling):
    """The mean of each of a given number of parts of images.

    Part i of n begins at `floor(i * length / n)` and ends before `ceil((i + 1) * length / n)`, so
    that parts may overlap.

    Args:
        output_size: The number of parts along each axis, an integer or one for each axis.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width,
    channels)`; or with channels first.

    Raises:
        ValueError: A size is not positive, or the inputs have the wrong number of axes or are
            empty.

    Source: Keras's page "AdaptiveAveragePooling2D layer".

    >>> import jax.numpy as jnp
    >>> AdaptiveAveragePooling2D((2, 3))(jnp.ones((4, 7, 7, 3))).shape
    (4, 2, 3, 3)
    """

    rank = 2
    takes_mean = True


class AdaptiveAveragePooling3D(AdaptivePooling):
    """The mean of each of a given number of parts of volumes.

    Arguments, errors and parts as for `AdaptiveAveragePooling2D`.

    Shapes: `(batch, depth, height, width, channels)` to `(batch, new_depth, new_height, new_width,
    channels)`; or with channels first.

    Source: Keras's page "AdaptiveAveragePooling3D layer".

    >>> import jax.numpy as jnp
    >>> AdaptiveAveragePooling3D(2)(jnp.ones((4, 5, 6, 7, 3))).shape
    (4, 2, 2, 2, 3)
    """

    rank = 3
    takes_mean = True


class AdaptiveMaxPooling1D(AdaptivePooling):
    """The maximum of each of a given number of parts of sequences.

    Arguments, errors and parts as for `AdaptiveAveragePooling2D`.

    Shapes: `(batch, steps, channels)` to `(batch, new_steps, channels)`; or with
    channels first.

    Source: Keras's page "AdaptiveMaxPooling1D layer".

    >>> import jax.numpy as jnp
    >>> AdaptiveMaxPooling1D(2)(jnp.ones((4, 7, 3))).shape
    (4, 2, 3)
    """

    rank = 1
    takes_mean = False


class AdaptiveMaxPooling2D(AdaptivePooling):
    """The maximum of each of a given number of parts of images.

    Arguments, errors and parts as for `AdaptiveAveragePooling2D`.

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width,
    channels)`; or with channels first.

    Source: Keras's page "AdaptiveMaxPooling2D layer".

    >>> import jax.numpy as jnp
    >>> AdaptiveMaxPooling2D((2, 3))(jnp.ones((4, 7, 7, 3))).shape
    (4, 2, 3, 3)
    """

    rank = 2
    takes_mean = False


class AdaptiveMaxPooling3D(AdaptivePooling):
    """The maximum of each of a given number of parts of volumes.

    Arguments, errors and parts as for `AdaptiveAveragePooling2D`.

    Shapes: `(batch, depth, height, width, channels)` to `(batch, new_depth, new_height, new_width,
    channels)`; or with channels first.

    Source: Keras's page "AdaptiveMaxPooling3D layer".

    >>> import jax.numpy as jnp
    >>> AdaptiveMaxPooling3D(2)(jnp.ones((4, 5, 6, 7, 3))).shape
    (4, 2, 2, 2, 3)
    """

    rank = 3
    takes_mean = False
