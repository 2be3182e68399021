"""Xception: residual blocks of separable convolutions."""

from typing import Any

from fjax.applications.image_classifier import (
    Options,
    Pools,
    Tensor,
    chain,
    image_classifier,
    image_shape,
)
from fjax.applications.imagenet_utils import decode_predictions as decode_predictions
from fjax.applications.imagenet_utils import preprocess_input as scale_images
from fjax.errors import explain_keywords
from fjax.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    MaxPooling2D,
    SeparableConv2D,
)
from fjax.models import Model


@explain_keywords
def Xception(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "xception",
) -> Model:
    """Return Xception, with drawn weights or those of a file.

    Args:
        include_top: Whether the network ends with the layers that classify.
        weights: The path of a file, or None for drawn weights.
        input_tensor: A symbolic tensor to begin with.
        input_shape: `(height, width, channels)`, at least 71x71; 299x299x3 by default with the top.
        pooling: Without the top: "avg", "max", or None for images of features.
        classes: The number of classes.
        classifier_activation: The activation of the last layer; None for logits.
        name: The name of the model.

    Raises:
        ValueError: An argument is invalid, or `weights` is "imagenet".

    Source: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions" (2017),
    https://arxiv.org/abs/1610.02357, figure 5.

    >>> Xception(weights=None, include_top=False, input_shape=(71, 71, 3)).output_shape
    (None, 3, 3, 2048)
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation
    )
    shape = image_shape(options, 299, 71)
    return image_classifier(name, options, shape, _features, pools=Pools(avg=None, max=None))


def _features(x: Tensor) -> Tensor:
    for number, filters, strides in ((1, 32, 2), (2, 64, 1)):
        label = f"block1_conv{number}"
        convolution = Conv2D(filters, 3, strides, use_bias=False, name=label)
        x = chain(x, convolution, BatchNormalization(name=f"{label}_bn"), _relu(f"{label}_act"))
    for block, widths in ((2, (128, 128)), (3, (256, 256)), (4, (728, 728))):
        x = _halving_block(x, block, widths)
    for block in range(5, 13):
        shortcut = x
        for number in (1, 2, 3):
            x = _separable(_relu(f"block{block}_sepconv{number}_act")(x), block, number, 728)
        x = Add()([x, shortcut])
    x = _halving_block(x, 13, (728, 1024))
    for number, filters in ((1, 1536), (2, 2048)):
        x = _relu(f"block14_sepconv{number}_act")(_separable(x, 14, number, filters))
    return x


def _halving_block(x: Tensor, block: int, filters: tuple[int, int]) -> Tensor:
    convolution = Conv2D(filters[-1], 1, 2, padding="same", use_bias=False)
    shortcut = chain(x, convolution, BatchNormalization())
    for number, width in enumerate(filters, 1):
        # The images of the second block are activated already.
        if (block, number) != (2, 1):
            x = _relu(f"block{block}_sepconv{number}_act")(x)
        x = _separable(x, block, number, width)
    x = MaxPooling2D(3, 2, padding="same", name=f"block{block}_pool")(x)
    return Add()([x, shortcut])


def _separable(x: Tensor, block: int, number: int, filters: int) -> Tensor:
    label = f"block{block}_sepconv{number}"
    convolution = SeparableConv2D(filters, 3, padding="same", use_bias=False, name=label)
    return chain(x, convolution, BatchNormalization(name=f"{label}_bn"))


def _relu(label: str) -> Activation:
    return Activation("relu", name=label)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as Xception expects them, from -1 to 1."""
    return scale_images(x, data_format, mode="tf")
