"""Random blur of images."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import is_integer
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import (
    Factor,
    draw_event,
    draw_uniform,
    factor_range,
    where_chosen,
)
from fjax.lowering.image_filters import filter_channels, gaussian
from fjax.typing import Array, Key, Shape


class RandomGaussianBlur(ImageLayer):
    """Blur each image by a Gaussian window with some probability in training.

    Args:
        factor: The range of the probability, which is drawn for each image. One number is
            (0, factor), as in Keras.
        kernel_size: The size of the window, an odd number or one for (width, height).
        sigma: The range, within [0, 1], of the standard deviations of the window along width and
            height, which are drawn once for a batch. One number is (0, sigma).
        value_range: The lowest and the highest value of the images.
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "RandomGaussianBlur layer".

    >>> layer = RandomGaussianBlur((1.0, 1.0), sigma=(1.0, 1.0))
    >>> layer(jnp.array([[0.0, 0.0, 0.0], [0.0, 100.0, 0.0], [0.0, 0.0, 0.0]])[..., None])[
    ...     1, :, 0
    ... ].round().tolist()
    [12.0, 20.0, 12.0]
    """

    factor_bounds = (0.0, 1.0)

    factor: Factor = 1.0
    kernel_size: Any = 3
    sigma: Factor = 1.0
    value_range: tuple[float, float] = (0, 255)
    data_format: str | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sigma = factor_range(self.kind, "sigma", self.sigma, 0.0, 1.0)
        sizes = self.kernel_size
        sizes = tuple(sizes) if isinstance(sizes, list | tuple) else (sizes, sizes)
        if len(sizes) != 2 or not all(is_integer(s) and s > 0 and s % 2 for s in sizes):
            raise ValueError(
                f"`{self.kind}`: `kernel_size` must be a positive odd integer or two of them, "
                f"received {self.kernel_size!r}."
            )
        self.kernel_size = sizes

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return whether to blur each image, `(batch,)`, and the deviations, `(2,)`."""
        keys = jax.random.split(key)
        return {
            "should_apply_blur": draw_event(keys[0], shape[0], self.factor),
            # As in Keras, a deviation is never 0.
            "blur_factor": draw_uniform(keys[1], (2,), self.sigma) + 1e-6,
        }

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, some of them blurred."""
        deviations = jnp.asarray(transformation["blur_factor"], images.dtype)
        columns = gaussian(self.kernel_size[0], deviations[0], images.dtype)
        rows = gaussian(self.kernel_size[1], deviations[1], images.dtype)
        blurred = filter_channels(images, jnp.outer(rows, columns))
        return jnp.clip(
            where_chosen(transformation["should_apply_blur"], blurred, images), *self.value_range
        )
