"""VGG16: convolutions of 3x3 in five blocks, and dense layers."""

from typing import Any

from fjax.applications.image_classifier import (
    Options,
    Pools,
    Tensor,
    image_classifier,
    image_shape,
)
from fjax.applications.imagenet_utils import decode_predictions as decode_predictions
from fjax.applications.imagenet_utils import preprocess_input as scale_images
from fjax.errors import explain_keywords
from fjax.layers import Conv2D, Dense, Flatten, MaxPooling2D
from fjax.models import Model

# The filters and the number of convolutions of each block.
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


@explain_keywords
def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Model:
    """Return VGG16, with drawn weights or those of a file.

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

    Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition" (2015), https://arxiv.org/abs/1409.1556, configuration D.

    >>> VGG16(weights=None, include_top=False, input_shape=(32, 32, 3)).output_shape
    (None, 1, 1, 512)
    """
    options = Options(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation
    )
    hidden = [Flatten(name="flatten"), *(Dense(4096, "relu", name=f"fc{n}") for n in (1, 2))]
    shape = image_shape(options, 224, 32)
    return image_classifier(
        name, options, shape, _features, hidden=hidden, pools=Pools(avg=None, max=None)
    )


def _features(x: Tensor) -> Tensor:
    for block, (filters, count) in enumerate(_BLOCKS, 1):
        for number in range(1, count + 1):
            label = f"block{block}_conv{number}"
            x = Conv2D(filters, 3, padding="same", activation="relu", name=label)(x)
        x = MaxPooling2D(2, name=f"block{block}_pool")(x)
    return x


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as VGG16 expects them: blue, green, red, without ImageNet's mean."""
    return scale_images(x, data_format, mode="caffe")
