"""Read, convert, resize and save pictures, by Pillow."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fjax.config import floatx
from fjax.errors import one_of, warn_user
from fjax.preprocessing.reading import COLOR_MODES, data_format_of, pillow, read_image, size_of

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Sequence[int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Return a picture as Pillow's `Image`; `img_to_array` converts it to an array.

    Args:
        path: The path of the file, or an open `io.BytesIO`.
        color_mode: "rgb", "rgba" or "grayscale". Pictures in gray of 16 or 32 bits keep their
            values with "grayscale".
        target_size: The (height, width) to resize to; None keeps the size.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos", "box" or "hamming". Pillow
            smoothes when it makes a picture smaller, except by "nearest".
        keep_aspect_ratio: Whether to crop the picture at its center to the proportions of
            `target_size` before resizing.

    Raises:
        ImportError: Pillow is not installed.
        FileNotFoundError: There is no such file.
        TypeError: `path` is of another type.
        ValueError: The file is not a picture, or an argument is invalid.

    Source: Keras's page "Image data loading".

    >>> import io
    >>> file = io.BytesIO()
    >>> save_img(file, np.zeros((4, 6, 3)), file_format="png")
    >>> load_img(file, target_size=(2, 3)).size
    (3, 2)
    """
    owner = "load_img"
    one_of(owner, "color_mode", color_mode, COLOR_MODES)
    one_of(owner, "interpolation", interpolation, _INTERPOLATIONS)
    image = read_image(owner, path, color_mode)
    if target_size is None:
        return image
    height, width = size_of(owner, "target_size", target_size)
    if image.size == (width, height):
        return image
    resample = getattr(pillow(owner).Resampling, interpolation.upper())
    box = _center_box(image.size, (width, height)) if keep_aspect_ratio else None
    return image.resize((width, height), resample, box=box)


def _center_box(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the largest box at the center that has the proportions of the target."""
    (width, height), (target_width, target_height) = size, target
    crop_height = min(height, width * target_height // target_width)
    crop_width = min(width, height * target_width // target_height)
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return left, top, left + crop_width, top + crop_height


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Return a picture as an array of three axes.

    Args:
        img: Pillow's `Image`, or an array of two or three axes.
        data_format: "channels_last" for `(height, width, channels)`, or "channels_first" for
            `(channels, height, width)`; None for the global setting.
        dtype: The type of the array; None for the global setting, float32.

    Raises:
        ValueError: The picture has another number of axes.

    Source: Keras's page "Image data loading".

    >>> img_to_array(np.zeros((4, 6))).shape
    (4, 6, 1)
    """
    data_format = data_format_of("img_to_array", data_format)
    array = np.asarray(img, dtype=floatx() if dtype is None else dtype)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ValueError(
            f"`img_to_array` takes a picture of two or three axes, received shape {array.shape}."
        )
    return array if data_format == "channels_last" else array.transpose(2, 0, 1)


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Any:
    """Return an array as Pillow's `Image`.

    Args:
        x: The array, of shape `(height, width, channels)`, with 1, 3 or 4 channels.
        data_format: "channels_last", "channels_first" for `(channels, height, width)`, or None for
            the global setting.
        scale: Whether to map the smallest value to 0 and the largest to 255. Without it, values
            must be from 0 to 255; a picture in gray may have larger ones, and is then one of 32
            bits.
        dtype: The type to compute in; None for the global setting, float32.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The array has another shape.

    Source: Keras's page "Image data loading".

    >>> array_to_img(np.zeros((4, 6, 3))).size
    (6, 4)
    """
    owner = "array_to_img"
    data_format = data_format_of(owner, data_format)
    image_module = pillow(owner)
    array = np.asarray(x, dtype=floatx() if dtype is None else dtype)
    if array.ndim != 3:
        raise ValueError(
            f"`{owner}` takes one picture, an array of three axes, received shape {array.shape}."
        )
    if data_format == "channels_first":
        array = array.transpose(1, 2, 0)
    if array.shape[2] not in (1, 3, 4):
        raise ValueError(
            f"`{owner}` takes 1, 3 or 4 channels, received {array.shape[2]}, as the array has "
            f"shape {array.shape} and is read as (height, width, channels)."
        )
    if scale:
        array = _scale(array)
    if array.shape[2] == 1:
        gray = array[:, :, 0]
        return image_module.fromarray(gray.astype("int32" if gray.max() > 255 else "uint8"))
    return image_module.fromarray(array.astype("uint8"))


def _scale(array: np.ndarray) -> np.ndarray:
    array = array - np.min(array)
    largest = np.max(array)
    return (array / largest if largest != 0 else array) * 255


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Save an array as a picture.

    Args:
        path: The path, or an open file.
        x: The array; see `array_to_img`.
        data_format: "channels_last", "channels_first", or None for the global setting.
        file_format: The format, such as "png"; by default that of the path's extension.
        scale: Whether to map the smallest value to 0 and the largest to 255.
        **kwargs: Arguments for `PIL.Image.Image.save`.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The array has another shape, or the format is unknown.

    Source: Keras's page "Image data loading".

    >>> import io
    >>> file = io.BytesIO()
    >>> save_img(file, np.zeros((4, 6, 1)), file_format="png")
    >>> img_to_array(load_img(file, color_mode="grayscale")).shape
    (4, 6, 1)
    """
    if file_format is None and isinstance(path, str | os.PathLike):
        file_format = Path(path).suffix[1:]
    if not file_format:
        raise ValueError(
            "`save_img`: the format is unknown: give `path` an extension such as `.png`, or give "
            "`file_format`."
        )
    file_format = "jpeg" if file_format.lower() == "jpg" else file_format.lower()
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warn_user("`save_img`: JPEG has no transparency; the picture is saved as RGB.")
        image = image.convert("RGB")
    image.save(path, format=file_format, **kwargs)


def smart_resize(
    x: Any, size: Sequence[int], interpolation: str = "bilinear", data_format: str = "channels_last"
) -> Any:
    """Return pictures resized without distortion: cropped at the center, then resized.

    Args:
        x: A picture of shape `(height, width, channels)`, or a batch of them.
        size: The (height, width) of the result.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        data_format: "channels_last", or "channels_first" for `(channels, height, width)`.

    Raises:
        ValueError: The array has another number of axes, or an argument is invalid.

    Source: Keras's page "Image data loading", `smart_resize`.

    >>> smart_resize(np.zeros((4, 9, 3), "float32"), (2, 2)).shape
    (2, 2, 3)
    """
    from fjax.ops.images import resize

    images = np.asarray(x) if isinstance(x, list | tuple) else x
    if np.ndim(images) not in (3, 4):
        raise ValueError(
            f"`smart_resize` takes a picture of three axes or a batch of four, received shape "
            f"{np.shape(images)}."
        )
    resized = resize(
        images, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format
    )
    return np.asarray(resized) if isinstance(images, np.ndarray) else resized
