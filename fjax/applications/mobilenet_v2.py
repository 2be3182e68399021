"""MobileNetV2: residual blocks that widen, convolve each channel alone, and narrow again."""

from typing import Any

from fjax.applications.image_classifier import (
    Options,
    Pools,
    Tensor,
    chain,
    halving_pad,
    image_classifier,
    image_shape,
)
from fjax.applications.imagenet_utils import decode_predictions as decode_predictions
from fjax.applications.imagenet_utils import preprocess_input as scale_images
from fjax.errors import explain_keywords
from fjax.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    ReLU,
    ZeroPadding2D,
)
from fjax.models import Model

# The factor by which a block widens, its filters, the number of blocks, the stride of the first.
_BLOCKS = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip
# The sizes of the images that Keras publishes weights for.
_SIZES = (96, 128, 160, 192, 224)


@explain_keywords
def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """Return MobileNetV2, with drawn weights or those of a file.

    Args:
        input_shape: `(height, width, channels)`, at least 32x32; 224x224x3 by default with the top.
        alpha: The factor of the number of filters of each layer.
        include_top: Whether the network ends with the layers that classify.
        weights: The path of a file, or None for drawn weights.
        input_tensor: A symbolic tensor to begin with.
        pooling: Without the top: "avg", "max", or None for images of features.
        classes: The number of classes.
        classifier_activation: The activation of the last layer; None for logits.
        name: The name of the model; by default "mobilenetv2_", alpha and the height.

    Raises:
        ValueError: An argument is invalid, or `weights` is "imagenet".

    Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018),
    https://arxiv.org/abs/1801.04381, table 2.

    >>> model = MobileNetV2(weights=None, include_top=False, input_shape=(96, 96, 3))
    >>> model.name, model.output_shape
    ('mobilenetv2_1.00_96', (None, 3, 3, 1280))
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation
    )
    shape = image_shape(options, _default_size(input_tensor), 32)

    def features(x: Tensor) -> Tensor:
        convolution = Conv2D(
            _divisible(32 * alpha), 3, 2, padding="same", use_bias=False, name="Conv1"
        )
        x = chain(x, convolution, *_normalized("bn_Conv1", "Conv1_relu"))
        number = 0
        for expansion, filters, count, strides in _BLOCKS:
            for block in range(count):
                width = _divisible(int(filters * alpha))
                x = _block(x, expansion, width, strides if block == 0 else 1, number)
                number += 1
        last = Conv2D(_divisible(1280 * max(alpha, 1.0)), 1, use_bias=False, name="Conv_1")
        return chain(x, last, *_normalized("Conv_1_bn", "out_relu"))

    name = f"mobilenetv2_{alpha:0.2f}_{shape[0]}" if name is None else name
    return image_classifier(name, options, shape, features, pools=Pools(None, None, None))


def _default_size(tensor: Any) -> int:
    _, height, width, *_ = getattr(tensor, "shape", (None, None, None))
    return int(height) if height in _SIZES and height == width else 224


def _block(x: Tensor, expansion: int, filters: int, strides: int, number: int) -> Tensor:
    label, inputs, channels = f"block_{number}_", x, x.shape[-1]
    if number == 0:
        label = "expanded_conv_"
    else:
        widening = _convolution(expansion * channels, f"{label}expand")
        x = chain(x, widening, *_normalized(f"{label}expand_BN", f"{label}expand_relu"))
    if strides == 2:
        x = ZeroPadding2D(halving_pad(x, 3), name=f"{label}pad")(x)
    padding = "same" if strides == 1 else "valid"
    depthwise = DepthwiseConv2D(
        3, strides, padding=padding, use_bias=False, name=f"{label}depthwise"
    )
    x = chain(x, depthwise, *_normalized(f"{label}depthwise_BN", f"{label}depthwise_relu"))
    x = chain(x, _convolution(filters, f"{label}project"), *_normalized(f"{label}project_BN"))
    if strides == 1 and channels == filters:
        return Add(name=f"{label}add")([inputs, x])
    return x


def _convolution(filters: int, label: str) -> Conv2D:
    return Conv2D(filters, 1, padding="same", use_bias=False, name=label)


def _normalized(label: str, activation: str | None = None) -> list[Any]:
    normalization = BatchNormalization(momentum=0.999, epsilon=1e-3, name=label)
    return [normalization, *([ReLU(6.0, name=activation)] if activation else [])]


def _divisible(filters: float) -> int:
    """Return the multiple of 8 next to a number of filters, but not less than 90 percent of it."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as MobileNetV2 expects them, from -1 to 1."""
    return scale_images(x, data_format, mode="tf")
