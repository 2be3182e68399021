"""Read the picture in a file, by Pillow, and check the arguments of functions of pictures."""

import io
import os
from pathlib import Path
from typing import Any

from fjax.config import image_data_format
from fjax.errors import import_extra, integer_at_least, is_integer, one_of

COLOR_MODES = ("rgb", "grayscale", "rgba")
DATA_FORMATS = ("channels_last", "channels_first")


def pillow(owner: str) -> Any:
    """Return the module `PIL.Image`, or raise ImportError that says how to install it."""
    return import_extra(owner, "PIL.Image", "pillow", "images")


def data_format_of(owner: str, value: str | None) -> str:
    """Return a data format, by default the global one, or raise ValueError."""
    chosen = image_data_format() if value is None else value
    return one_of(owner, "data_format", chosen, DATA_FORMATS)


def size_of(owner: str, argument: str, value: Any) -> tuple[int, int]:
    """Return a picture's height and width; an integer is both."""
    sizes = (value, value) if is_integer(value) else value
    if isinstance(sizes, list | tuple) and len(sizes) == 2:
        height, width = (integer_at_least(owner, argument, size, 1) for size in sizes)
        return height, width
    raise ValueError(
        f"`{owner}`: `{argument}` must be two integers, (height, width), received {value!r}."
    )


def read_image(owner: str, path: Any, color_mode: str) -> Any:
    """Return the picture in a file, converted to a color mode; of an animation the first frame.

    Raises:
        ValueError: The file is not a picture, or it is damaged.
    """
    image_module = pillow(owner)
    if not isinstance(path, io.BytesIO | str | bytes | os.PathLike):
        raise TypeError(
            f"`{owner}`: `path` must be a path or an `io.BytesIO`, received {type(path).__name__}."
        )
    name = "the `io.BytesIO`" if isinstance(path, io.BytesIO) else os.fsdecode(path)
    content = path if isinstance(path, io.BytesIO) else io.BytesIO(Path(name).read_bytes())
    try:
        image = image_module.open(content)
        image.load()
        return _to_mode(image, color_mode)
    # Pillow raises many types of errors for damaged files.
    except Exception as error:
        raise ValueError(
            f"`{owner}`: {name} is not a picture that Pillow can read: {error}. Remove or replace "
            "the file."
        ) from error


def _to_mode(image: Any, color_mode: str) -> Any:
    if color_mode == "grayscale":
        # Gray pictures of 16 and 32 bits keep their values, as in Keras.
        return image if image.mode in ("L", "I;16", "I") else image.convert("L")
    mode = color_mode.upper()
    return image if image.mode == mode else image.convert(mode)
