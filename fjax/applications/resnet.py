"""ResNet50: residual blocks of three convolutions, of which the middle one is 3x3."""

from typing import Any

from fjax.applications.image_classifier import (
    Options,
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
    ZeroPadding2D,
)
from fjax.models import Model

# The filters and the number of blocks of each stage.
_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
_EPSILON = 1.001e-5


@explain_keywords
def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50",
) -> Model:
    """Return ResNet50, with drawn weights or those of a file.

    Args:
        include_top: Whether the network ends with the layers that classify.
        weights: The path of a file, or None for drawn weights.
        input_tensor: A symbolic tensor to begin with.
        input_shape: `(height, width, channels)`, at least 32x32; 224x224x3 by default with the top.
        pooling: Without the top: "avg", "max", or None for images of features.
        classes: The number of classes.
        classifier_activation: The activation of the last layer; None for logits.
        name: The name of the model.

    Raises:
        ValueError: An argument is invalid, or `weights` is "imagenet".

    Source: He et al., "Deep Residual Learning for Image Recognition" (2015),
    https://arxiv.org/abs/1512.03385, table 1. As in Keras, the first convolution of a block has the
    stride, all have biases, and the epsilon of the normalization is 1.001e-5.

    >>> ResNet50(weights=None, include_top=False, input_shape=(64, 64, 3)).output_shape
    (None, 2, 2, 2048)
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation
    )
    return image_classifier(name, options, image_shape(options, 224, 32), _features)


def _features(x: Tensor) -> Tensor:
    x = ZeroPadding2D(3, name="conv1_pad")(x)
    x = _activated(_convolved(x, 64, 7, "conv1", strides=2), "conv1_relu")
    x = chain(x, ZeroPadding2D(1, name="pool1_pad"), MaxPooling2D(3, 2, name="pool1_pool"))
    for stage, (filters, blocks) in enumerate(_STAGES, 2):
        for block in range(1, blocks + 1):
            strides = 2 if block == 1 and stage > 2 else 1
            x = _residual_block(x, filters, f"conv{stage}_block{block}", strides, block == 1)
    return x


def _residual_block(x: Tensor, filters: int, label: str, strides: int, projects: bool) -> Tensor:
    shortcut = _convolved(x, 4 * filters, 1, f"{label}_0", strides=strides) if projects else x
    x = _activated(_convolved(x, filters, 1, f"{label}_1", strides=strides), f"{label}_1_relu")
    x = _activated(_convolved(x, filters, 3, f"{label}_2", padding="same"), f"{label}_2_relu")
    x = _convolved(x, 4 * filters, 1, f"{label}_3")
    return _activated(Add(name=f"{label}_add")([shortcut, x]), f"{label}_out")


def _convolved(x: Tensor, filters: int, size: int, label: str, **options: Any) -> Tensor:
    convolution = Conv2D(filters, size, name=f"{label}_conv", **options)
    return chain(x, convolution, BatchNormalization(epsilon=_EPSILON, name=f"{label}_bn"))


def _activated(x: Tensor, label: str) -> Tensor:
    return Activation("relu", name=label)(x)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as ResNet50 expects them: blue, green, red, without ImageNet's mean."""
    return scale_images(x, data_format, mode="caffe")
