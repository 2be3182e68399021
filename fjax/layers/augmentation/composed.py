"""The base of the layers that choose among other image layers."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import one_of
from fjax.layers.augmentation.auto_contrast import AutoContrast
from fjax.layers.augmentation.brightness import RandomBrightness
from fjax.layers.augmentation.color_degeneration import RandomColorDegeneration
from fjax.layers.augmentation.contrast import RandomContrast
from fjax.layers.augmentation.equalization import Equalization
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.posterization import RandomPosterization
from fjax.layers.augmentation.rotation import RandomRotation
from fjax.layers.augmentation.sharpness import RandomSharpness
from fjax.layers.augmentation.shear import RandomShear
from fjax.layers.augmentation.solarization import Solarization
from fjax.layers.augmentation.translation import RandomTranslation
from fjax.lowering.image_warping import ORDERS
from fjax.typing import Key, PyTree, Shape

# What `lax.switch` chooses among: functions of the same values.
Branch = Callable[[PyTree], PyTree]


class ComposedLayer(ImageLayer):
    """Base of the layers that apply some transformations, drawn out of many.

    A subclass has the fields `value_range`, `factor` and `interpolation`.
    """

    # Equalization has one histogram for a batch.
    rows_independent = False
    factor_bounds = (0.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        layer: Any = self
        one_of(self.kind, "interpolation", layer.interpolation, ORDERS)
        self.parts()

    def parts(self) -> dict[str, ImageLayer]:
        """Return the transformations by Keras's names."""
        layer: Any = self
        factor, values, interpolation = layer.factor, layer.value_range, layer.interpolation
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

    def draw_parts(self, keys: Key, shape: Shape) -> dict[str, Transformation]:
        """Return what each of the transformations draws, by name; one key for each."""
        pairs = zip(keys, self.parts().items(), strict=True)
        return {name: part.draw(key, shape) for key, (name, part) in pairs}

    def branches(
        self, drawn: dict[str, Transformation], method: Callable[[ImageLayer], Any]
    ) -> list[Branch]:
        """Return the transformations as functions of images or masks.

        Args:
            drawn: What each of them drew, by name.
            method: Returns the function of images (or masks) and draws of a layer.
        """

        def branch(name: str, part: ImageLayer) -> Branch:
            return lambda values: method(part)(values, drawn[name]).astype(
                jnp.asarray(values).dtype
            )

        return [branch(name, part) for name, part in self.parts().items()]


def choose(number: Any, branches: list[Branch], values: PyTree) -> PyTree:
    """Return what one of the functions returns for the values."""
    return jax.lax.switch(jnp.asarray(number), branches, values)
