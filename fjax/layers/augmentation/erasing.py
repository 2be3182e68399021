"""Random erasing of boxes in images."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import is_number
from fjax.layers.augmentation.boxes import box_masks, draw_side
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import (
    Factor,
    draw_event,
    draw_uniform,
    factor_range,
    where_chosen,
)
from fjax.typing import Array, Key, Shape


class RandomErasing(ImageLayer):
    """Erase a random box of each image with some probability in training.

    Args:
        factor: The range of the probability, which is drawn for each image. One number is
            (0, factor), as in Keras.
        scale: The range, within [0, 1], of the square of each side of the box, as a share of the
            image's side. One number is (0, scale).
        fill_value: The value of erased pixels: a number, one for each of three channels, or None
            for normal noise with the standard deviation `value_range[1]`; clipped to the range.
        value_range: The lowest and the highest value of the images.
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Zhong et al., "Random Erasing Data Augmentation" (2017),
    https://arxiv.org/abs/1708.04896; Keras's page "RandomErasing layer".

    >>> layer = RandomErasing((1.0, 1.0), scale=(1.0, 1.0), fill_value=7)
    >>> layer(jnp.zeros((1, 2, 1))).ravel().tolist()
    [7.0, 7.0]
    """

    factor_bounds = (0.0, 1.0)

    factor: Factor = 1.0
    scale: Factor = (0.02, 0.33)
    fill_value: Any = None
    value_range: tuple[float, float] = (0, 255)
    seed: int | None = None
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.scale = factor_range(self.kind, "scale", self.scale, 0.0, 1.0)
        fill = self.fill_value
        self.fill_value = tuple(fill) if isinstance(fill, list) else fill
        numbers = self.fill_value if isinstance(self.fill_value, tuple) else (fill,) * 3
        if fill is not None and (len(numbers) != 3 or not all(map(is_number, numbers))):
            raise ValueError(
                f"`{self.kind}`: `fill_value` must be a number, three numbers or None, received "
                f"{fill!r}."
            )

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return whether to erase, `(batch,)`; what and by what, of the shape of the images."""
        keys = jax.random.split(key, 5)
        sides = jnp.sqrt(draw_uniform(keys[0], (shape[0], 2), self.scale))
        columns = draw_side(keys[1], shape[2], sides[:, 0])
        rows = draw_side(keys[2], shape[1], sides[:, 1])
        return {
            "apply_erasing": draw_event(keys[3], shape[0], self.factor),
            "batch_masks": box_masks(shape, columns, rows),
            "fill_value": jnp.clip(self._fill(keys[4], shape), *self.value_range),
        }

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, some of them with an erased box."""
        fill = jnp.asarray(transformation["fill_value"], images.dtype)
        erased = jnp.where(transformation["batch_masks"], fill, images)
        return where_chosen(transformation["apply_erasing"], erased, images)

    def _fill(self, key: Key, shape: Shape) -> Array:
        if self.fill_value is None:
            return jax.random.normal(key, shape) * self.value_range[1]
        if isinstance(self.fill_value, tuple) and shape[-1] != 3:
            raise ValueError(
                f"`{self.kind}`: `fill_value` {self.fill_value} is for three channels, received "
                f"images with {shape[-1]}. Pass one number."
            )
        return jnp.broadcast_to(jnp.asarray(self.fill_value, "float32"), shape)
