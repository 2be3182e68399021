"""RandAugment: some random transformations out of many."""

from collections.abc import Callable

import jax

from fjax.errors import integer_at_least, one_of
from fjax.layers.augmentation.auto_contrast import AutoContrast
from fjax.layers.augmentation.brightness import RandomBrightness
from fjax.layers.augmentation.color_degeneration import RandomColorDegeneration
from fjax.layers.augmentation.contrast import RandomContrast
from fjax.layers.augmentation.equalization import Equalization
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.posterization import RandomPosterization
from fjax.layers.augmentation.ranges import Factor, factor_range, value_range
from fjax.layers.augmentation.rotation import RandomRotation
from fjax.layers.augmentation.sharpness import RandomSharpness
from fjax.layers.augmentation.shear import RandomShear
from fjax.layers.augmentation.solarization import Solarization
from fjax.layers.augmentation.translation import RandomTranslation
from fjax.lowering.image_warping import ORDERS
from fjax.typing import Array, Key, Shape


class RandAugment(ImageLayer):
    """Apply some transformations, drawn for each batch out of eleven, in training.

    They are shear, translation, rotation, brightness, color degeneration, contrast, sharpness,
    posterization, solarization, full contrast and equalization.

    Args:
        value_range: The lowest and the highest value of the images.
        num_ops: How many transformations are applied, one after the other.
        factor: The range, within [0, 1], of their factors. One number is (0, factor).
        interpolation: "bilinear" or "nearest".
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, 3)` or one image without the batch axis, unchanged; integers
    become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Cubuk et al., "RandAugment" (2019), https://arxiv.org/abs/1909.13719; Keras's page
    "RandAugment layer".

    >>> import jax.numpy as jnp
    >>> RandAugment(num_ops=1, factor=0.1)(jnp.ones((2, 8, 8, 3)), training=True).shape
    (2, 8, 8, 3)
    """

    # Equalization has one histogram for a batch.
    rows_independent = False

    value_range: tuple[float, float] = (0, 255)
    num_ops: int = 2
    factor: Factor = 0.5
    interpolation: str = "bilinear"
    seed: int | None = None
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.value_range = value_range(self.kind, self.value_range)
        self.num_ops = integer_at_least(self.kind, "num_ops", self.num_ops, 1)
        self.factor = factor_range(self.kind, "factor", self.factor, 0.0, 1.0)
        one_of(self.kind, "interpolation", self.interpolation, ORDERS)
        self._parts()

    def _parts(self) -> dict[str, ImageLayer]:
        """Return the transformations, by Keras's names and in its order."""
        factor, values, interpolation = self.factor, self.value_range, self.interpolation
        return {
            "random_shear": RandomShear(factor, factor, interpolation),
            "random_translation": RandomTranslation(factor, factor, interpolation=interpolation),
            "random_rotation": RandomRotation(factor, interpolation=interpolation),
            "random_brightness": RandomBrightness(factor, values),
            "random_color_degeneration": RandomColorDegeneration(factor, values),
            "random_contrast": RandomContrast(factor, values),
            "random_sharpness": RandomSharpness(factor, values),
            "random_posterization": RandomPosterization(max(1, int(8 * factor[1])), values),
            "solarization": Solarization(factor, factor, values),
            "auto_contrast": AutoContrast(values),
            "equalization": Equalization(values),
        }

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the numbers of the transformations to apply, and what each of them draws."""
        parts = self._parts()
        keys = jax.random.split(key, len(parts) + 1)
        pairs = zip(keys[1:], parts.items(), strict=True)
        return {
            "layer_idxes": jax.random.randint(keys[0], (self.num_ops,), 0, len(parts)),
            "transforms": {name: part.draw(part_key, shape) for part_key, (name, part) in pairs},
        }

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, transformed several times."""
        return self._apply_chosen(images, transformation, lambda part: part.transform)

    def transform_masks(self, masks: Array, transformation: Transformation) -> Array:
        """Return the masks, moved like their images."""
        return self._apply_chosen(masks, transformation, lambda part: part.transform_masks)

    def _apply_chosen(
        self,
        images: Array,
        transformation: Transformation,
        method: Callable[..., Callable[..., Array]],
    ) -> Array:
        drawn = transformation["transforms"]

        def branch(name: str, part: ImageLayer) -> Callable[[Array], Array]:
            return lambda values: method(part)(values, drawn[name]).astype(images.dtype)

        branches = [branch(name, part) for name, part in self._parts().items()]
        for number in transformation["layer_idxes"]:
            images = jax.lax.switch(number, branches, images)
        return images
