"""`image_dataset_from_directory`: the pictures of a folder as batches."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fjax.errors import one_of
from fjax.preprocessing.directory import FolderOptions, dataset_from_directory
from fjax.preprocessing.formats import check_format
from fjax.preprocessing.image import img_to_array
from fjax.preprocessing.reading import COLOR_MODES, data_format_of, pillow, read_image, size_of
from fjax.preprocessing.resizing import INTERPOLATIONS, resize_image

IMAGE_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return the pictures of a folder as a `Dataset` of batches `(images, labels)`.

    Threads read, resize and batch the pictures during the iteration; a few batches are in memory at
    a time. Splits, classes and, with a seed, orders are Keras's.

    Args:
        directory: The folder, with a subfolder for each class.
        labels: "inferred" from the names of the subfolders; None for no labels; or a list of one
            integer for each file, in the order of their paths.
        label_mode: "int" for int32 labels of shape `(batch,)`, "categorical" for float32 one-hot
            rows `(batch, classes)`, "binary" for float32 zeros and ones `(batch, 1)`, None for
            batches of images without labels.
        class_names: The names of subfolders to use, in the order of their numbers; by default all,
            sorted.
        color_mode: "rgb", "rgba" or "grayscale", for 3, 4 or 1 channels.
        batch_size: Pictures in a batch; None for single pictures.
        image_size: The (height, width) of the images.
        shuffle: Whether to shuffle the files, and again in each pass within 8 batches.
        seed: The seed of the orders; None draws one from numpy's global generator.
        validation_split: The fraction of the files for validation.
        subset: "training" or "validation"; "both" returns a list of the two.
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian"
            or "mitchellcubic". Pictures are not smoothed when they become smaller, as in Keras.
        follow_links: Whether to enter subfolders that are symbolic links.
        crop_to_aspect_ratio: Whether to crop pictures at their center instead of distorting them.
        pad_to_aspect_ratio: Whether to pad pictures with zeros instead of distorting them.
        data_format: "channels_last", "channels_first", or None for the global setting.
        format: "tf": the data set has the methods of `tf.data.Dataset`, and needs no TensorFlow.
        verbose: Whether to print how many files were found.

    Shapes: images are float32 from 0 to 255, of shape `(batch, height, width, channels)`.

    Raises:
        ImportError: Pillow is not installed.
        FileNotFoundError: There is no such folder.
        ValueError: The folder has no pictures, or an argument is invalid; during the iteration, a
            file is not a picture.

    Source: Keras's page "Image data loading".

    >>> import pathlib, tempfile
    >>> from fjax.utils import save_img
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("cats", "dogs"):
    ...     (folder / name).mkdir()
    ...     save_img(folder / name / "1.png", np.zeros((9, 12, 3)))
    >>> dataset = image_dataset_from_directory(folder, image_size=(4, 4))
    Found 2 files belonging to 2 classes.
    >>> for images, labels in dataset:
    ...     print(images.shape, sorted(labels.tolist()), dataset.class_names)
    (2, 4, 4, 3) [0, 1] ['cats', 'dogs']
    """
    owner = "image_dataset_from_directory"
    pillow(owner)
    one_of(owner, "color_mode", color_mode, COLOR_MODES)
    interpolation = one_of(owner, "interpolation", str(interpolation).lower(), INTERPOLATIONS)
    check_format(owner, format)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            f"`{owner}`: give `crop_to_aspect_ratio` or `pad_to_aspect_ratio`, not both."
        )
    layout = data_format_of(owner, data_format)
    size = size_of(owner, "image_size", image_size)
    aspect = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else "distort"

    def load(path: str) -> np.ndarray:
        image = img_to_array(read_image(owner, path, color_mode), "channels_last")
        resized = resize_image(image, size, interpolation, aspect)
        return resized if layout == "channels_last" else resized.transpose(2, 0, 1)

    options = FolderOptions(
        owner, directory, IMAGE_FORMATS, labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose,
    )  # fmt: skip
    return dataset_from_directory(options, load)
