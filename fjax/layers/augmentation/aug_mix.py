"""AugMix: weighted means of images that were transformed in several ways."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import integer_at_least, number_between
from fjax.layers.augmentation.composed import ComposedLayer, choose
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation, as_floats
from fjax.layers.augmentation.ranges import Factor
from fjax.typing import Array, Key, Shape

# The transformations that `all_ops=False` leaves out.
COLOR_OPS = (
    "random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness",
)  # fmt: skip


class AugMix(ComposedLayer):
    """Mix each image in training with some copies of it that went through random chains.

    A chain is up to `chain_depth` transformations, each drawn for a batch out of shear,
    translation, rotation, posterization, solarization, full contrast and equalization, with
    `all_ops` also brightness, color degeneration, contrast and sharpness, or none of them. Bounding
    boxes stay where they are, since the image itself is part of the mixture.

    Args:
        value_range: The lowest and the highest value of the images.
        num_chains: The number of chains.
        chain_depth: The number of draws in each chain.
        factor: The range, within [0, 1], of the factors of the transformations. One number is
            (0, factor).
        alpha: The parameter of the Dirichlet distribution of the weights of the chains, and both
            parameters of the beta distribution of the weight of the image; positive.
        all_ops: Whether to use all transformations.
        interpolation: "bilinear" or "nearest".
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, 3)` or one image without the batch axis, unchanged; integers
    become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Hendrycks et al., "AugMix" (2019), https://arxiv.org/abs/1912.02781; Keras's page
    "AugMix layer".

    >>> AugMix(num_chains=2)(jnp.ones((2, 8, 8, 3)), training=True).shape
    (2, 8, 8, 3)
    """

    value_range: tuple[float, float] = (0, 255)
    num_chains: int = 3
    chain_depth: int = 3
    factor: Factor = 0.3
    alpha: float = 1.0
    all_ops: bool = True
    interpolation: str = "bilinear"
    seed: int | None = None
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.num_chains = integer_at_least(self.kind, "num_chains", self.num_chains, 1)
        self.chain_depth = integer_at_least(self.kind, "chain_depth", self.chain_depth, 1)
        self.alpha = number_between(self.kind, "alpha", self.alpha, 0.0, open_low=True)

    def parts(self) -> dict[str, ImageLayer]:
        """Return the transformations by Keras's names."""
        parts = super().parts()
        return {name: part for name, part in parts.items() if self.all_ops or name not in COLOR_OPS}

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the weights, and for each place of each chain what is applied there.

        `chain_layers`, `(num_chains, chain_depth)`, are the numbers of the transformations; the
        number after the last one is none. `chain_transforms` are the draws of all of them.
        """
        keys, count = jax.random.split(key, 4), len(self.parts())
        places = (self.num_chains, self.chain_depth)
        draw_all = jax.vmap(jax.vmap(lambda part_keys: self.draw_parts(part_keys, shape)))
        weights = jax.random.gamma(keys[0], self.alpha, (self.num_chains,))
        return {
            "chain_mixing_weights": weights / jnp.sum(weights),
            "weight_sample": jax.random.beta(keys[1], self.alpha, self.alpha),
            "chain_layers": jax.random.randint(keys[2], places, 0, count + 1),
            "chain_transforms": draw_all(jax.random.split(keys[3], (*places, count))),
        }

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, mixed with what the chains make of them."""
        mixed = self._mix(images, transformation, lambda part: part.transform)
        return jnp.clip(mixed, *self.value_range)

    def transform_masks(self, masks: Array, transformation: Transformation) -> Array:
        """Return the masks, mixed like their images."""
        return self._mix(as_floats(masks), transformation, lambda part: part.transform_masks)

    def _mix(
        self, images: Array, transformation: Transformation, method: Callable[[ImageLayer], Any]
    ) -> Array:
        def apply_one(values: Array, place: Any) -> tuple[Array, None]:
            number, drawn = place
            return choose(number, [*self.branches(drawn, method), _unchanged], values), None

        def apply_chain(total: Array, chain: Any) -> tuple[Array, None]:
            weight, *places = chain
            outputs, _ = jax.lax.scan(apply_one, images, tuple(places))
            return total + outputs * weight, None

        names = ("chain_mixing_weights", "chain_layers", "chain_transforms")
        chains = tuple(transformation[name] for name in names)
        chains = (jnp.asarray(chains[0], images.dtype), *chains[1:])
        total, _ = jax.lax.scan(apply_chain, jnp.zeros_like(images), chains)
        share = jnp.asarray(transformation["weight_sample"], images.dtype)
        return share * images + (1.0 - share) * total


def _unchanged(values: Array) -> Array:
    return values
