"""What the networks for ImageNet have in common: how images are scaled, and the classes' names."""

import functools
import json
from typing import Any

import numpy as np

from fjax.config import floatx, image_data_format
from fjax.datasets.files import find
from fjax.errors import integer_at_least, one_of

# The mean and the standard deviation of ImageNet's images, by channel: red, green, blue.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The mean of the values from 0 to 255 in the order of Caffe's networks: blue, green, red.
_MEAN_BGR = (103.939, 116.779, 123.68)

_CLASS_FILE = "imagenet_class_index.json"


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Return images scaled as a network expects them; the array itself is not changed.

    Args:
        x: Values from 0 to 255, `(height, width, 3)` or a batch of these: a NumPy or JAX array, or
            a symbolic tensor.
        data_format: "channels_last" or "channels_first".
        mode: "caffe" reverses the channels and subtracts ImageNet's mean; "tf" scales to -1 to 1;
            "torch" scales to 0 to 1, subtracts ImageNet's mean and divides by its deviation.

    Raises:
        ValueError: A name is unknown, or the images have not three channels.

    Source: Keras, `keras.applications.imagenet_utils`.

    >>> preprocess_input(np.array([[[0, 255, 51]]]), mode="tf").tolist()
    [[[-1.0, 1.0, -0.6000000238418579]]]
    """
    one_of("preprocess_input", "mode", mode, ["caffe", "tf", "torch"])
    data_format = image_data_format() if data_format is None else data_format
    one_of("preprocess_input", "data_format", data_format, ["channels_last", "channels_first"])
    if isinstance(x, np.ndarray) and not np.issubdtype(x.dtype, np.floating):
        x = x.astype(floatx())
    if mode == "tf":
        return x / 127.5 - 1.0
    axis = -1 if data_format == "channels_last" else -3
    if len(x.shape) not in (3, 4) or x.shape[axis] != 3:
        raise ValueError(
            f"`preprocess_input`: images must have three channels on axis {axis}, and three or "
            f"four axes, received the shape {tuple(x.shape)}."
        )
    if mode == "torch":
        return (x / 255.0 - _by_channel(_MEAN, axis, x)) / _by_channel(_STD, axis, x)
    reverse = (..., slice(None, None, -1), *[slice(None)] * (-1 - axis))
    return x[reverse] - _by_channel(_MEAN_BGR, axis, x)


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """Return the most probable classes of each row: `(id, name, probability)`, the best first.

    The names are in Keras's file `imagenet_class_index.json`, which must be in the folder that
    FJAX_DATA names, or in the cache.

    Args:
        preds: The outputs of a network for ImageNet, `(rows, 1000)`.
        top: How many classes to return.

    Raises:
        ValueError: The outputs have another shape.
        FileNotFoundError: The file is missing.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != 1000:
        raise ValueError(
            "`decode_predictions`: the predictions must have the shape (rows, 1000), received "
            f"{preds.shape}."
        )
    integer_at_least("decode_predictions", "top", top, 0)
    names = _class_names(
        str(find(_CLASS_FILE, advice="Keras's `decode_predictions` downloads it."))
    )
    best = np.argsort(-preds, axis=1, kind="stable")[:, :top]
    return [
        [(*names[number], row[number]) for number in numbers]
        for row, numbers in zip(preds, best, strict=True)
    ]


@functools.cache
def _class_names(path: str) -> list[tuple[str, str]]:
    with open(path, encoding="utf-8") as file:
        index = json.load(file)
    return [tuple(index[str(number)]) for number in range(1000)]


def _by_channel(values: tuple[float, ...], axis: int, x: Any) -> np.ndarray:
    return np.reshape(np.asarray(values, x.dtype), (3, *[1] * (-1 - axis)))
