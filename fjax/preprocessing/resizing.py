"""Resize pictures on the host, as TensorFlow's `tf.image.resize` does.

numpy, not JAX: the pictures of a folder have many sizes, and JAX would compile a program for each.
"""

from collections.abc import Callable

import numpy as np

from fjax.errors import one_of

INTERPOLATIONS = (
    "bilinear",
    "nearest",
    "bicubic",
    "area",
    "lanczos3",
    "lanczos5",
    "gaussian",
    "mitchellcubic",
)
ASPECTS = ("distort", "crop", "pad")


def resize_image(
    image: np.ndarray, size: tuple[int, int], interpolation: str, aspect: str = "distort"
) -> np.ndarray:
    """Return a picture of another size, in float32.

    It is not smoothed when it becomes smaller, as in TensorFlow and Keras.

    Args:
        image: The picture, of shape `(height, width, channels)`.
        size: The (height, width) of the result.
        interpolation: One of INTERPOLATIONS.
        aspect: What happens if the proportions differ: "distort" the picture, "crop" it at its
            center, or "pad" it with zeros.

    Source: `tf.image.resize`; the kernels are those of P. Getreuer, "Linear Methods for Image
    Interpolation", 2011.

    >>> resize_image(np.arange(4.0).reshape(1, 4, 1), (1, 2), "bilinear").ravel().tolist()
    [0.5, 2.5]
    """
    one_of("resize_image", "interpolation", interpolation, INTERPOLATIONS)
    one_of("resize_image", "aspect", aspect, ASPECTS)
    if aspect == "crop":
        image = _crop(image, size)
    inner, (top, left) = _inner_box(image.shape[:2], size) if aspect == "pad" else (size, (0, 0))
    rows = _resample(image, 0, inner[0], interpolation)
    resized = _resample(rows, 1, inner[1], interpolation)
    if inner == size:
        return resized
    padded = np.zeros((*size, image.shape[2]), np.float32)
    padded[top : top + inner[0], left : left + inner[1]] = resized
    return padded


def _crop(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = image.shape[:2]
    crop_height = max(min(height, int(width * size[0] / size[1])), 1)
    crop_width = max(min(width, int(height * size[1] / size[0])), 1)
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return image[top : top + crop_height, left : left + crop_width]


def _inner_box(
    shape: tuple[int, ...], size: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the size of a picture within its padding, and the padding at the top and left."""
    # In float32, since TensorFlow's sizes depend on its rounding.
    actual, target = np.array(shape, np.float32), np.array(size, np.float32)
    exact = actual / np.max(actual / target)
    height, width = np.maximum(np.floor(exact), 1).astype(int).tolist()
    top, left = np.maximum(np.floor((target - exact) / 2), 0).astype(int).tolist()
    return (height, width), (top, left)


def _resample(image: np.ndarray, axis: int, size: int, interpolation: str) -> np.ndarray:
    """Return the picture with `size` entries along an axis, each a weighted sum of a few."""
    indices, weights = _taps(image.shape[axis], size, interpolation)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    total = np.zeros((*image.shape[:axis], size, *image.shape[axis + 1 :]), np.float32)
    for index, weight in zip(indices.T, weights.T, strict=True):
        total += np.take(image, index, axis) * weight.reshape(shape)
    return total


def _taps(length: int, size: int, interpolation: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices and weights of the entries that each new entry is made of.

    Shapes: `(size, taps)` each.
    """
    scale = length / size
    if interpolation == "nearest":
        indices = np.floor((np.arange(size) + 0.5) * scale).astype(int)[:, None]
        return np.minimum(indices, length - 1), np.ones((size, 1), np.float32)
    if interpolation == "area":
        start = np.arange(size)[:, None] * scale
        indices = np.floor(start).astype(int) + np.arange(int(np.ceil(scale)) + 1)
        ends = np.minimum(start + scale, indices + 1)
        weights = np.maximum(ends - np.maximum(start, indices), 0.0)
    else:
        radius, kernel = _KERNELS[interpolation]
        centers = (np.arange(size)[:, None] + 0.5) * scale - 0.5
        count = 2 * int(np.ceil(radius)) + 1
        indices = np.floor(centers).astype(int) - count // 2 + np.arange(count)
        distances = np.abs(centers - indices)
        weights = np.where(distances < radius, kernel(distances), 0.0)
    weights = np.where((indices >= 0) & (indices < length), weights, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    used = weights.any(axis=0)
    return np.clip(indices, 0, length - 1)[:, used], weights[:, used].astype(np.float32)


def _triangle(x: np.ndarray) -> np.ndarray:
    return 1 - x


def _keys_cubic(x: np.ndarray) -> np.ndarray:
    near = (1.5 * x - 2.5) * x * x + 1
    return np.where(x < 1, near, ((-0.5 * x + 2.5) * x - 4) * x + 2)


def _mitchell_cubic(x: np.ndarray) -> np.ndarray:
    near = (7 / 6 * x - 2) * x * x + 8 / 9
    return np.where(x < 1, near, ((-7 / 18 * x + 2) * x - 10 / 3) * x + 16 / 9)


def _gaussian(x: np.ndarray) -> np.ndarray:
    return np.exp(-2 * x * x)


def _lanczos3(x: np.ndarray) -> np.ndarray:
    return np.sinc(x) * np.sinc(x / 3)


def _lanczos5(x: np.ndarray) -> np.ndarray:
    return np.sinc(x) * np.sinc(x / 5)


# The radius of each kernel, and its value at a distance within the radius.
_KERNELS: dict[str, tuple[float, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1.0, _triangle),
    "bicubic": (2.0, _keys_cubic),
    "mitchellcubic": (2.0, _mitchell_cubic),
    "gaussian": (1.5, _gaussian),
    "lanczos3": (3.0, _lanczos3),
    "lanczos5": (5.0, _lanczos5),
}
