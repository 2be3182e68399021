"""Random elastic distortions of images."""

import jax
import jax.numpy as jnp

from fjax.layers.augmentation.image_layer import Transformation
from fjax.layers.augmentation.ranges import (
    Factor,
    draw_event,
    draw_uniform,
    factor_range,
    where_chosen,
)
from fjax.layers.augmentation.warping import WarpingLayer
from fjax.lowering.image_warping import FILL_MODES, elastic_warp
from fjax.random import key_of
from fjax.typing import Array, Key, Shape


class RandomElasticTransform(WarpingLayer):
    """Distort each image by a smooth random field with some probability in training.

    Args:
        factor: The range of the probability, which is drawn for each image. One number is
            (0, factor), as in Keras.
        scale: The range, within [0, 1], of a number s, which is drawn once for a batch: the field
            has the strength `0.1 * s * max(height, width)` and is smoothed over `0.05 * s *
            min(height, width)` pixels. One number is (0, scale).
        interpolation: "bilinear" or "nearest".
        fill_mode: What lies beyond the image: "reflect", "wrap", "constant", "nearest" or "mirror".
        fill_value: The value of "constant".
        value_range: The lowest and the highest value of the images.
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "RandomElasticTransform layer".

    >>> images = jnp.arange(400.0).reshape(1, 20, 20, 1) / 2
    >>> outputs = RandomElasticTransform((1.0, 1.0), scale=(0.9, 0.9))(images)
    >>> outputs.shape, bool(jnp.allclose(outputs, images))
    ((1, 20, 20, 1), False)
    """

    box_handling = "refused"
    fill_modes = FILL_MODES
    factor_bounds = (0.0, 1.0)

    factor: Factor = 1.0
    scale: Factor = 1.0
    interpolation: str = "bilinear"
    fill_mode: str = "reflect"
    fill_value: float = 0.0
    value_range: tuple[float, float] = (0, 255)
    seed: int | None = None
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.scale = factor_range(self.kind, "scale", self.scale, 0.0, 1.0)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return whether to distort, `(batch,)`, how strongly, and the seed of the field."""
        if self.scale[1] == 0 or self.factor[1] == 0:
            return None
        keys = jax.random.split(key, 3)
        return {
            "apply_transform": draw_event(keys[0], shape[0], self.factor),
            "distortion_factor": draw_uniform(keys[1], (), self.scale),
            "seed": keys[2],
        }

    def warp(self, images: Array, transformation: Transformation, interpolation: str) -> Array:
        """Return the images, some of them distorted."""
        if transformation is None:
            return images
        sizes, strength = images.shape[1:3], jnp.asarray(transformation["distortion_factor"])
        distorted = elastic_warp(
            images,
            key_of(self.kind, transformation["seed"]),
            max(sizes) * (0.1 * strength),
            min(sizes) * (0.05 * strength),
            int(6 * min(sizes) * 0.05 * self.scale[1]) + 1 | 1,
            interpolation,
            self.fill_mode,
            self.fill_value,
        )
        outputs = where_chosen(transformation["apply_transform"], distorted, images)
        return jnp.clip(outputs, *self.value_range)
