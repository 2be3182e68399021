"""Operations of `keras.ops.image`: size, patches, filters, quality; see `layout` for the shapes."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import one_of
from fjax.lowering.image_filters import filter_channels, gaussian
from fjax.ops import windows
from fjax.ops.core import saturate_cast
from fjax.ops.definition import OperationTable
from fjax.ops.layout import data_format_of, on_batch
from fjax.typing import Array

op = OperationTable(__name__)

INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")


# Size.


@op.define
def resize(
    images: Array,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Array:
    """Return images of another size, in their dtype: integers are rounded and stay in its range.

    Args:
        images: The images.
        size: The height and the width.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        antialias: Whether to smooth images that become smaller.
        crop_to_aspect_ratio: Whether to crop the images around their center first, so that they
            are not distorted.
        pad_to_aspect_ratio: Whether to pad the images first, so that they are not distorted.
        fill_mode: "constant".
        fill_value: The value of the padding.
        data_format: "channels_last" (default) or "channels_first".

    Raises:
        ValueError: An argument is none of these, or images are to be both cropped and padded.
    """
    one_of("resize", "interpolation", interpolation, INTERPOLATIONS)
    one_of("resize", "fill_mode", fill_mode, ["constant"])
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "`resize`: `crop_to_aspect_ratio` and `pad_to_aspect_ratio` cannot both be True."
        )
    if len(size) != 2:
        raise ValueError(f"`resize`: `size` must be (height, width), received {size!r}.")
    new_height, new_width = (int(length) for length in size)

    def convert(batch: Array) -> Array:
        height, width = batch.shape[1:3]
        ideal_height = int(width * new_height / new_width)
        ideal_width = int(height * new_width / new_height)
        if crop_to_aspect_ratio:
            kept = max(min(height, ideal_height), 1), max(min(width, ideal_width), 1)
            top, left = (height - kept[0]) // 2, (width - kept[1]) // 2
            batch = batch[:, top : top + kept[0], left : left + kept[1]]
        elif pad_to_aspect_ratio:
            # As in Keras, both ends of one axis get the same padding, rounded down.
            rows, columns = max(ideal_height - height, 0) // 2, max(ideal_width - width, 0) // 2
            ends = [(0, 0), (rows, rows), (0, 0) if rows else (columns, columns), (0, 0)]
            batch = jnp.pad(batch, ends, constant_values=fill_value)
        shape = (len(batch), new_height, new_width, batch.shape[-1])
        resized = jax.image.resize(batch, shape, interpolation, antialias=antialias)
        if resized.dtype == batch.dtype:
            return resized
        rounds = jnp.issubdtype(batch.dtype, jnp.integer)
        return saturate_cast(jnp.round(resized) if rounds else resized, batch.dtype)

    return on_batch("resize", images, data_format, convert)


@op.define
def scale_and_translate(
    images: Array,
    output_shape: Sequence[int],
    scale: Array,
    translation: Array,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Array:
    """Return images scaled and moved along some axes, in the output shape."""
    methods = [kind + name for kind in ("", "bi", "tri") for name in ("linear", "cubic")]
    one_of("scale_and_translate", "method", method, [*methods, "lanczos3", "lanczos5"])
    shape, axes = tuple(output_shape), tuple(spatial_dims)
    return jax.image.scale_and_translate(images, shape, axes, scale, translation, method, antialias)


@op.define
def pad_images(
    images: Array,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Array:
    """Return images with zeros around them.

    Two of `top_padding`, `bottom_padding` and `target_height` are given, and two of
    `left_padding`, `right_padding` and `target_width`.
    """

    def pad(batch: Array) -> Array:
        rows = _ends("pad_images", "height", batch.shape[1], top_padding, bottom_padding,
                     target_height, 1)  # fmt: skip
        columns = _ends("pad_images", "width", batch.shape[2], left_padding, right_padding,
                        target_width, 1)  # fmt: skip
        return jnp.pad(batch, [(0, 0), rows, columns, (0, 0)])

    return on_batch("pad_images", images, data_format, pad)


@op.define
def crop_images(
    images: Array,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Array:
    """Return images without some rows and columns at their ends.

    Two of `top_cropping`, `bottom_cropping` and `target_height` are given, and two of
    `left_cropping`, `right_cropping` and `target_width`.
    """

    def crop(batch: Array) -> Array:
        height, width = batch.shape[1:3]
        top, bottom = _ends("crop_images", "height", height, top_cropping, bottom_cropping,
                            target_height, -1)  # fmt: skip
        left, right = _ends("crop_images", "width", width, left_cropping, right_cropping,
                            target_width, -1)  # fmt: skip
        return batch[:, top : height - bottom, left : width - right]

    return on_batch("crop_images", images, data_format, crop)


def _ends(
    operation: str, axis: str, size: int, before: Any, after: Any, target: Any, sign: int
) -> tuple[int, int]:
    """Return how much is added (sign 1) or cut (sign -1) at both ends."""
    if [before, after, target].count(None) != 1:
        raise ValueError(
            f"`{operation}`: of the amounts at both ends and the target {axis}, exactly two must "
            f"be given, received {before}, {after} and {target}."
        )
    if before is None:
        before = sign * (target - size) - after
    if after is None:
        after = sign * (target - size) - before
    if before < 0 or after < 0 or size + sign * (before + after) < 0:
        raise ValueError(
            f"`{operation}`: the {axis} {size} does not fit the amounts {before} and {after} at "
            "the ends."
        )
    return before, after


# Patches.


@op.define
def extract_patches(
    images: Array,
    size: int | Sequence[int],
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """Return the patches of images, each as the channels of one entry.

    Args:
        images: Images; or volumes, if `size` has three entries.
        size: The size of a patch.
        strides: The distance of two patches, by default their size.
        dilation_rate: The distance of two entries of a patch.
        padding: "valid" or "same".
        data_format: "channels_last" (default) or "channels_first".
    """
    rank = 2 if isinstance(size, int) else len(size)
    return _patches("extract_patches", images, size, strides, dilation_rate, padding, data_format,
                    rank)  # fmt: skip


@op.define
def extract_patches_3d(
    volumes: Array,
    size: int | Sequence[int],
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """Return the patches of volumes, each as the channels of one entry; see `extract_patches`."""
    return _patches("extract_patches_3d", volumes, size, strides, dilation_rate, padding,
                    data_format, 3)  # fmt: skip


def _patches(
    operation: str, images: Array, size: Any, strides: Any, dilation_rate: Any, padding: str,
    data_format: str | None, rank: int,
) -> Array:  # fmt: skip
    window = (size,) * rank if isinstance(size, int) else tuple(size)
    is_first = data_format_of(operation, data_format) == "channels_first"
    channels = images.shape[-rank - 1 if is_first else -1]
    entries = channels * int(np.prod(window))
    kernel = jnp.eye(entries, dtype=images.dtype).reshape(*window, channels, entries)
    batch = images[None] if images.ndim == rank + 1 else images
    steps = window if strides is None else strides
    result = windows.conv(batch, kernel, steps, padding, data_format, dilation_rate)
    return result[0] if images.ndim == rank + 1 else result


# Filters.


@op.define
def gaussian_blur(
    images: Array,
    kernel_size: Sequence[int] = (3, 3),
    sigma: Any = (1.0, 1.0),
    data_format: str | None = None,
) -> Array:
    """Return images blurred by a Gaussian window.

    Args:
        images: The images.
        kernel_size: The size of the window.
        sigma: The standard deviations of the window in the order (width, height), as in Keras.
        data_format: "channels_last" (default) or "channels_first".
    """
    deviations = jnp.asarray(sigma, images.dtype)
    columns = gaussian(kernel_size[0], deviations[0], images.dtype)
    rows = gaussian(kernel_size[1], deviations[1], images.dtype)
    kernel = jnp.outer(rows, columns)
    return on_batch(
        "gaussian_blur", images, data_format, lambda batch: filter_channels(batch, kernel)
    )


@op.define
def sobel_edges(images: Array, data_format: str | None = None) -> Array:
    """Return the changes along height and width, stacked along a new last axis."""
    slope, smooth = jnp.array([-1.0, 0.0, 1.0]), jnp.array([1.0, 2.0, 1.0])

    def filtered(kernel: Array) -> Array:
        return on_batch(
            "sobel_edges", images, data_format, lambda batch: filter_channels(batch, kernel)
        )

    along_height, along_width = jnp.outer(slope, smooth), jnp.outer(smooth, slope)
    return jnp.stack([filtered(along_height), filtered(along_width)], axis=-1)


# Quality.


@op.define
def ssim(
    image1: Array,
    image2: Array,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Array:
    """Return the structural similarity of images, one value for each pair.

    Args:
        image1: The images.
        image2: The images to compare with.
        max_val: The largest possible value.
        filter_size: The size of the Gaussian window.
        filter_sigma: Its standard deviation.
        k1: The stabilizer of the means.
        k2: The stabilizer of the variances.
        data_format: "channels_last" (default) or "channels_first".

    Source: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity"
    (2004).
    """
    dtype = jnp.result_type(image1, 1.0)
    weights = gaussian(filter_size, filter_sigma, dtype)
    kernel = jnp.outer(weights, weights)
    stabilizers = (k1 * max_val) ** 2, (k2 * max_val) ** 2

    def local_mean(batch: Array) -> Array:
        return on_batch(
            "ssim", batch, data_format, lambda values: filter_channels(values, kernel, "valid")
        )

    first, second = image1.astype(dtype), image2.astype(dtype)
    mean1, mean2 = local_mean(first), local_mean(second)
    variance1 = local_mean(first * first) - mean1 * mean1
    variance2 = local_mean(second * second) - mean2 * mean2
    covariance = local_mean(first * second) - mean1 * mean2
    similarity = (
        (2 * mean1 * mean2 + stabilizers[0])
        * (2 * covariance + stabilizers[1])
        / (mean1**2 + mean2**2 + stabilizers[0])
        / (variance1 + variance2 + stabilizers[1])
    )
    return jnp.mean(similarity, axis=(-1, -2, -3)).astype(image1.dtype)


__all__ = op.names
