"""EfficientNetB0: MobileNetV2's blocks with a gate for each channel (squeeze and excitation)."""

from typing import Any

from fjax.applications.image_classifier import (
    Options,
    Tensor,
    chain,
    halving_pad,
    image_classifier,
    image_shape,
)
from fjax.applications.imagenet_utils import decode_predictions as decode_predictions
from fjax.errors import explain_keywords
from fjax.initializers import VarianceScaling
from fjax.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Multiply,
    Normalization,
    Rescaling,
    Reshape,
    ZeroPadding2D,
)
from fjax.models import Model

# The size of the window, the number of blocks, their filters, the factor by which they widen, the
# stride of the first.
_BLOCKS = (
    (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2), (3, 1, 320, 6, 1),
)  # fmt: skip
# The share of the channels in a gate, and the largest rate at which a block is dropped.
_GATE, _DROP_RATE = 0.25, 0.2

_CONVOLUTION = VarianceScaling(2.0, "fan_out", "truncated_normal")
_CLASSIFIER = VarianceScaling(1 / 3, "fan_out", "uniform")

_HINT = (
    " Keras scales the images of these weights once more: after loading, `layer = "
    'model.get_layer("normalization"); mean, variance, count = layer.get_weights(); '
    "layer.set_weights([mean, variance**2, count])`."
)


@explain_keywords
def EfficientNetB0(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "efficientnetb0",
) -> Model:
    """Return EfficientNetB0, with drawn weights or those of a file.

    It takes values from 0 to 255, and scales them itself. The statistics of its `Normalization` are
    weights: a mean of 0 and a variance of 1, until weights are loaded.

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

    Source: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
    (2019), https://arxiv.org/abs/1905.11946, table 1.

    >>> EfficientNetB0(weights=None, include_top=False, input_shape=(64, 64, 3)).output_shape
    (None, 2, 2, 1280)
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation
    )
    return image_classifier(
        name, options, image_shape(options, 224, 32), _features, hint=_HINT,
        hidden=[GlobalAveragePooling2D(name="avg_pool"), Dropout(0.2, name="top_dropout")],
        kernel_initializer=_CLASSIFIER,
    )  # fmt: skip


def _features(x: Tensor) -> Tensor:
    channels = x.shape[-1]
    x = chain(
        x, Rescaling(1 / 255), Normalization(mean=(0.0,) * channels, variance=(1.0,) * channels)
    )
    x = ZeroPadding2D(halving_pad(x, 3), name="stem_conv_pad")(x)
    stem = Conv2D(32, 3, 2, use_bias=False, kernel_initializer=_CONVOLUTION, name="stem_conv")
    x = chain(x, stem, *_activated("stem_bn", "stem_activation"))
    number, total = 0, sum(count for _, count, *_ in _BLOCKS)
    for stage, (size, count, filters, expansion, strides) in enumerate(_BLOCKS, 1):
        for block in range(count):
            label = f"block{stage}{'abcd'[block]}_"
            rate = _DROP_RATE * number / total
            x = _block(x, label, size, filters, expansion, strides if block == 0 else 1, rate)
            number += 1
    return chain(x, _convolution(1280, "top_conv"), *_activated("top_bn", "top_activation"))


def _block(
    x: Tensor, label: str, size: int, filters: int, expansion: int, strides: int, rate: float
) -> Tensor:
    inputs, channels = x, x.shape[-1]
    width = channels * expansion
    if expansion != 1:
        x = chain(
            x, _convolution(width, f"{label}expand_conv"),
            *_activated(f"{label}expand_bn", f"{label}expand_activation"),
        )  # fmt: skip
    if strides == 2:
        x = ZeroPadding2D(halving_pad(x, size), name=f"{label}dwconv_pad")(x)
    depthwise = DepthwiseConv2D(
        size, strides, padding="same" if strides == 1 else "valid", use_bias=False,
        depthwise_initializer=_CONVOLUTION, name=f"{label}dwconv",
    )  # fmt: skip
    x = chain(x, depthwise, *_activated(f"{label}bn", f"{label}activation"))
    gate = chain(
        x,
        GlobalAveragePooling2D(name=f"{label}se_squeeze"),
        Reshape((1, 1, width), name=f"{label}se_reshape"),
        _gate(max(1, int(channels * _GATE)), "swish", f"{label}se_reduce"),
        _gate(width, "sigmoid", f"{label}se_expand"),
    )
    x = Multiply(name=f"{label}se_excite")([x, gate])
    x = chain(x, _convolution(filters, f"{label}project_conv"))
    x = BatchNormalization(name=f"{label}project_bn")(x)
    if strides == 2 or channels != filters:
        return x
    if rate > 0:
        x = Dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{label}drop")(x)
    return Add(name=f"{label}add")([x, inputs])


def _convolution(filters: int, label: str) -> Conv2D:
    return Conv2D(
        filters, 1, padding="same", use_bias=False, kernel_initializer=_CONVOLUTION, name=label
    )


def _gate(filters: int, activation: str, label: str) -> Conv2D:
    return Conv2D(
        filters, 1, padding="same", activation=activation, kernel_initializer=_CONVOLUTION,
        name=label,
    )  # fmt: skip


def _activated(label: str, activation: str) -> list[Any]:
    return [BatchNormalization(name=label), Activation("swish", name=activation)]


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return the images as they are: EfficientNet scales them itself."""
    return x
