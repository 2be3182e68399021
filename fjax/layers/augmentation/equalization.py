"""Equal histograms of images."""

import jax.numpy as jnp

from fjax.errors import integer_at_least
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import rescale
from fjax.typing import Array


class Equalization(ImageLayer):
    """Spread the values of each channel evenly over the value range in training.

    As in Keras, all images of a batch share one histogram for each channel.

    Args:
        value_range: The lowest and the highest value of the images.
        bins: The number of bins of the histogram.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, or the inputs do not have 3 or 4 axes.

    Source: Keras's page "Equalization layer".

    >>> images = jnp.array([[[10.0], [20.0], [30.0]]])
    >>> Equalization()(images).ravel().tolist()
    [0.0, 128.0, 255.0]
    """

    rows_independent = False

    value_range: tuple[float, float] = (0, 255)
    bins: int = 256
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.bins = integer_at_least(self.kind, "bins", self.bins, 1)

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images with equalized histograms."""
        values = rescale(images, self.value_range, (0.0, 255.0))
        channels = [self._equalize(channel) for channel in jnp.moveaxis(values, -1, 0)]
        outputs = jnp.stack(channels, axis=-1).astype(images.dtype)
        return rescale(outputs, (0.0, 255.0), self.value_range)

    def _equalize(self, channel: Array) -> Array:
        """Return one channel of a batch, `(batch, height, width)`, with an even histogram."""
        top = self.bins - 1
        bins = jnp.clip((channel * top / 255.0).astype("int32"), 0, top)
        counts = jnp.zeros(self.bins, "int32").at[bins.ravel()].add(1)
        total = jnp.cumsum(counts)
        first = total[jnp.argmax(total > 0)]
        rest = total[-1] - first
        shares = (total - first).astype("float32") * 255.0 / jnp.where(rest == 0, 1, rest)
        table = jnp.clip(jnp.round(shares), 0.0, 255.0)
        places = jnp.clip(channel / 255.0 * top, 0, top).astype("int32")
        return jnp.where(jnp.count_nonzero(counts) <= 1, channel, table[places])
