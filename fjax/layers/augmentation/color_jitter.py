"""Random brightness, contrast, saturation and hue of images, in one layer."""

import jax

from fjax.layers.augmentation.brightness import RandomBrightness
from fjax.layers.augmentation.contrast import RandomContrast
from fjax.layers.augmentation.hue import RandomHue
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import Factor, stored_factor
from fjax.layers.augmentation.saturation import RandomSaturation
from fjax.typing import Array, Key, Shape

# The layers that the factors are for, in the order in which they change an image.
PARTS = {
    "brightness": RandomBrightness,
    "contrast": RandomContrast,
    "saturation": RandomSaturation,
    "hue": RandomHue,
}


class RandomColorJitter(ImageLayer):
    """Change brightness, contrast, saturation and hue of each image at random in training.

    Args:
        value_range: The lowest and the highest value of the images.
        brightness_factor: The factor of `RandomBrightness`; None leaves the brightness.
        contrast_factor: The factor of `RandomContrast`; None leaves the contrast.
        saturation_factor: The factor of `RandomSaturation`; None leaves the saturation.
        hue_factor: The factor of `RandomHue`; None leaves the hue.
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, 3)` or one image without the batch axis, unchanged; integers
    become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "RandomColorJitter layer".

    >>> import jax.numpy as jnp
    >>> layer = RandomColorJitter(brightness_factor=(0.1, 0.1), contrast_factor=(0.0, 0.0))
    >>> layer(jnp.array([[[10.0, 20.0, 30.0]]]), training=True).tolist()
    [[[35.5, 45.5, 55.5]]]
    """

    value_range: tuple[float, float] = (0, 255)
    brightness_factor: Factor = None
    contrast_factor: Factor = None
    saturation_factor: Factor = None
    hue_factor: Factor = None
    seed: int | None = None
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in PARTS:
            factor = stored_factor(getattr(self, f"{name}_factor"))
            setattr(self, f"{name}_factor", factor)
        self._parts()

    def _parts(self) -> dict[str, ImageLayer]:
        """Return the layers that change something, by name."""
        factors = {name: getattr(self, f"{name}_factor") for name in PARTS}
        return {
            name: PARTS[name](factor, self.value_range)
            for name, factor in factors.items()
            if factor is not None
        }

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return what each of the layers draws, by name."""
        keys = dict(zip(PARTS, jax.random.split(key, len(PARTS)), strict=True))
        return {name: part.draw(keys[name], shape) for name, part in self._parts().items()}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images with other colors."""
        for name, part in self._parts().items():
            images = part.transform(images, transformation[name])
        return images
