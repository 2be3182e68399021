"""Mixtures of images and their labels: MixUp and CutMix."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import number_between
from fjax.layers.augmentation.box_dicts import boxes_and_labels
from fjax.layers.augmentation.boxes import box_masks, draw_side
from fjax.layers.augmentation.image_layer import ImageLayer, Size, Transformation
from fjax.layers.augmentation.ranges import Factor, draw_uniform
from fjax.typing import Array, Key, Shape


class MixingLayer(ImageLayer):
    """Base of the layers that mix each image of a batch, and its label, with another one."""

    rows_independent = False

    def transform_labels(
        self, labels: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return the labels, `(batch, classes)`, mixed with the weights of the images."""
        if transformation is None or not training:
            return labels
        values = jnp.asarray(labels)
        if values.ndim != 2:
            raise ValueError(
                f"`{self.kind}` mixes labels of shape (batch, classes), received {values.shape}: "
                "make them one-hot first, by `fjax.utils.to_categorical`."
            )
        weight = jnp.asarray(transformation["mix_weight"]).reshape(-1, 1)
        others = values[jnp.asarray(transformation["permutation_order"])]
        return weight * values + (1.0 - weight) * others

    def transform_masks(self, masks: Array, transformation: Transformation) -> Array:
        """Return the masks, mixed like their images."""
        return self.transform(masks, transformation)


class MixUp(MixingLayer):
    """Mix each image of a batch, and its label, with another one by a random weight in training.

    Args:
        alpha: Both parameters of the beta distribution of the weights, positive; small numbers give
            weights near 0 and 1.
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, channels)`, unchanged; or a dict of `images` and their `labels`,
    `(batch, classes)`. Integers become float32.

    Raises:
        ValueError: `alpha` is not positive, the inputs do not have 3 or 4 axes, labels are not
            `(batch, classes)`, or a training call had no key.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization" (2017),
    https://arxiv.org/abs/1710.09412; Keras's page "MixUp layer".

    >>> data = {"images": jnp.ones((4, 8, 8, 3)), "labels": jnp.eye(4)}
    >>> mixed = MixUp()(data, training=True)
    >>> mixed["images"].shape, mixed["labels"].sum(axis=1).round().tolist()
    ((4, 8, 8, 3), [1.0, 1.0, 1.0, 1.0])
    """

    alpha: float = 0.2
    data_format: str | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.alpha = number_between(self.kind, "alpha", self.alpha, 0.0, open_low=True)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the weight of each image and the number of the other one, `(batch,)` each."""
        keys = jax.random.split(key)
        return {
            "mix_weight": jax.random.beta(keys[0], self.alpha, self.alpha, shape[:1]),
            "permutation_order": jax.random.permutation(keys[1], shape[0]),
        }

    def transform_bounding_boxes(
        self,
        bounding_boxes: Any,
        transformation: Transformation = None,
        training: bool = True,
        image_size: Size | None = None,
    ) -> dict[str, Any]:
        """Return the boxes of each image and, in training, those of the other one after them."""
        boxes, labels = boxes_and_labels(self.kind, bounding_boxes)
        if transformation is not None and training:
            order = jnp.asarray(transformation["permutation_order"])
            axis = labels.ndim - 1
            one_image = boxes.ndim == 2
            others = (boxes, labels) if one_image else (boxes[order], labels[order])
            boxes = jnp.concatenate([boxes, others[0]], axis=axis)
            labels = jnp.concatenate([labels, others[1]], axis=axis)
        return {**bounding_boxes, "boxes": boxes, "labels": labels}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the weighted means of the images and the others."""
        weight = jnp.asarray(transformation["mix_weight"]).reshape(-1, 1, 1, 1)
        others = images[jnp.asarray(transformation["permutation_order"])]
        return weight * images + (1.0 - weight) * others


class CutMix(MixingLayer):
    """Replace a random box of each image of a batch by that of another one in training.

    Labels are mixed by the areas of both parts. One image without a batch axis is left as it is.

    Args:
        factor: The range, within [0, 1], of both parameters of the beta distribution of the areas,
            which are drawn once for a batch. One number is (0, factor).
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)`, unchanged; or a dict of `images` and their `labels`,
    `(batch, classes)`. Integers become float32.

    Raises:
        ValueError: `factor` is out of range, the inputs do not have 3 or 4 axes, labels are not
            `(batch, classes)`, or a training call had no key.

    Source: Yun et al., "CutMix" (2019), https://arxiv.org/abs/1905.04899; Keras's page "CutMix
    layer".

    >>> data = {"images": jnp.ones((4, 8, 8, 3)), "labels": jnp.eye(4)}
    >>> mixed = CutMix()(data, training=True)
    >>> mixed["images"].shape, mixed["labels"].sum(axis=1).round().tolist()
    ((4, 8, 8, 3), [1.0, 1.0, 1.0, 1.0])
    """

    # As in Keras: a box may be covered in part.
    box_handling = "refused"
    factor_bounds = (0.0, 1.0)

    factor: Factor = 1.0
    seed: int | None = None
    data_format: str | None = None

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the boxes, the weight of each image, and the number of the other one."""
        keys = jax.random.split(key, 5)
        # As in Keras, the parameter is never 0.
        alpha = draw_uniform(keys[0], (), self.factor) + 1e-6
        share = jnp.sqrt(1.0 - jax.random.beta(keys[1], alpha, alpha, shape[:1]))
        columns = draw_side(keys[2], shape[2], share)
        rows = draw_side(keys[3], shape[1], share)
        area = (columns[1] - columns[0]) * (rows[1] - rows[0]) / (shape[1] * shape[2])
        return {
            "permutation_order": jax.random.permutation(keys[4], shape[0]),
            "batch_masks": box_masks(shape, columns, rows),
            "mix_weight": 1.0 - area[:, None, None, None],
        }

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images with the boxes of the others."""
        if transformation is None:
            return images
        others = images[jnp.asarray(transformation["permutation_order"])]
        return jnp.where(transformation["batch_masks"], others, images)
