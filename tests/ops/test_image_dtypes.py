"""The functions of `ops.image` return the dtypes and numbers of Keras for images of any dtype."""

import keras
import numpy as np
import pytest

import fjax

# Functions of images, by name.
CALLS = {
    **{f"resize {how}": lambda image, x, how=how: image.resize(x, (5, 6), interpolation=how)
       for how in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")},
    "resize smaller": lambda image, x: image.resize(x, (3, 4), antialias=True),
    "resize cropped": lambda image, x: image.resize(x, (5, 5), crop_to_aspect_ratio=True),
    "resize padded": lambda image, x: image.resize(x, (5, 5), pad_to_aspect_ratio=True),
    "affine_transform": lambda image, x: image.affine_transform(x, MOVE, interpolation="nearest"),
    "perspective_transform": lambda image, x: image.perspective_transform(x, CORNERS, CORNERS + 1),
    "rgb_to_grayscale": lambda image, x: image.rgb_to_grayscale(x),
    "rgb_to_hsv": lambda image, x: image.rgb_to_hsv(x),
    "hsv_to_rgb": lambda image, x: image.hsv_to_rgb(x),
    "crop_images": lambda image, x: image.crop_images(x, 1, 1, target_height=4, target_width=5),
    "pad_images": lambda image, x: image.pad_images(x, 1, 1, target_height=12, target_width=13),
    "extract_patches": lambda image, x: image.extract_patches(x, (2, 3)),
    "extract_patches_3d": lambda image, x: image.extract_patches_3d(x[None], (1, 2, 3)),
    "gaussian_blur": lambda image, x: image.gaussian_blur(x, data_format="channels_last"),
    "elastic_transform": lambda image, x: image.elastic_transform(x, seed=3),
    "map_coordinates": lambda image, x: image.map_coordinates(x[0, ..., 0], POINTS, order=1),
    "scale_and_translate": lambda image, x: image.scale_and_translate(
        x, (2, 5, 6, 3), np.float32([0.5, 0.6]), np.float32([0.0, 1.0]), (1, 2), "linear"),
    "sobel_edges": lambda image, x: image.sobel_edges(x),
    "ssim": lambda image, x: image.ssim(x, x[::-1], max_val=1.0, filter_size=3),
}  # fmt: skip
MOVE = np.float32([[1, 0, 1, 0, 1, 0, 0, 0]] * 2)
CORNERS = np.float32([[[0, 0], [6, 0], [0, 6], [6, 6]]] * 2)
POINTS = np.random.default_rng(0).uniform(0, 7, (2, 3, 4)).astype("float32")

# Keras on JAX raises errors of its own code, where these have a result.
WORKS_HERE = {("gaussian_blur", "uint8"), ("gaussian_blur", "int32"), ("sobel_edges", "uint8")}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32"])
@pytest.mark.parametrize("name", CALLS)
def test_dtypes_and_numbers_are_keras(name, dtype):
    scale = 255 if "int" in dtype else 1
    x = (np.random.default_rng(1).uniform(0, scale, (2, 8, 9, 3))).astype(dtype)
    if (name, dtype) in WORKS_HERE:
        assert str(CALLS[name](fjax.ops.image, x).dtype) == dtype
        return
    results = []
    for module in (fjax, keras):
        try:
            results.append(CALLS[name](module.ops.image, x))
        except ValueError as error:
            results.append(error)
    ours, theirs = results
    if isinstance(theirs, ValueError):
        assert isinstance(ours, ValueError)
        return
    assert str(ours.dtype) == str(theirs.dtype)
    tolerance = {"rtol": 5e-3, "atol": 2e-3} if dtype == "float16" else {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(np.float32(ours), np.float32(theirs), **tolerance)


def test_every_function_has_a_case():
    public = {name for name in dir(keras.ops.image) if not name.startswith("_")}
    assert public == {name.partition(" ")[0] for name in CALLS}
