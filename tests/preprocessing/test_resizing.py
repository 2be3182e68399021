"""Pictures of another size, compared with Keras and with numbers of TensorFlow 2.21."""

import keras
import numpy as np
import pytest

from fjax.preprocessing.resizing import resize_image

PICTURE = ((np.arange(15).reshape(3, 5, 1) * 37) % 64).astype("float32")


@pytest.mark.parametrize(
    "interpolation", ["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"]
)
@pytest.mark.parametrize("size", [(7, 5), (20, 31), (16, 11)])
@pytest.mark.parametrize("aspect", ["distort", "crop"])
def test_sizes_and_values_are_those_of_keras(interpolation, size, aspect):
    image = np.random.default_rng(0).integers(0, 256, (16, 23, 3), dtype=np.uint8)
    ours = resize_image(image, size, interpolation, aspect)
    theirs = keras.ops.image.resize(
        image.astype("float32"), size, interpolation, crop_to_aspect_ratio=aspect == "crop"
    )
    assert ours.dtype == np.float32
    # Keras computes positions in float32.
    np.testing.assert_allclose(ours, theirs, atol=3e-3)


# `tf.image.resize(PICTURE, size, method=interpolation)`
TENSORFLOW = {
    ("area", (2, 3)): [25.267, 20.467, 28.467, 41.533, 36.733, 19.133],
    ("gaussian", (2, 3)): [22.043, 14.934, 27.277, 42.723, 41.52, 17.042],
    ("mitchellcubic", (2, 3)): [21.005, 11.186, 27.726, 43.26, 44.58, 15.733],
    ("area", (4, 7)): [
        0, 22.2, 31.6, 10, 39.6, 36.2, 20, 38, 34.6, 26.933, 5.333, 34.933, 31.533, 15.333,
        54.667, 38.467, 26.533, 22, 34.533, 26.867, 10.667, 50, 33.8, 30.4, 60, 38.4, 22.2, 6,
    ],
    ("gaussian", (4, 7)): [
        6.606, 22.496, 27.716, 16.285, 34.975, 34.536, 21.386, 35.515, 33.5, 25.095, 13.211, 31.313,
        30.548, 17.382, 51.521, 38.416, 27.345, 26.016, 32.9, 25.927, 12.452, 48.614, 35.398,
        33.621, 49.894, 39.141, 22.409, 8.448,
    ],
    ("mitchellcubic", (4, 7)): [
        0.35, 21.799, 29.885, 13.513, 37.039, 36.378, 19.957, 35.444, 35.057, 24.09, 7.518, 32.353,
        32.416, 15.917, 56.282, 40.021, 25.332, 25.392, 34.351, 25.643, 10.083, 50.043, 33.636,
        32.846, 56.138, 41.803, 20.225, 6.043,
    ],
}  # fmt: skip


@pytest.mark.parametrize(("interpolation", "size"), TENSORFLOW)
def test_values_are_those_of_tensorflow(interpolation, size):
    ours = resize_image(PICTURE, size, interpolation)
    np.testing.assert_allclose(ours.ravel(), TENSORFLOW[interpolation, size], atol=6e-4)


def test_padding_is_that_of_tensorflow():
    # `tf.image.resize_with_pad(PICTURE, 4, 4)` and `(PICTURE, 6, 12)`
    expected = [
        [16.875, 25.125, 31.375, 21.625],
        [48.375, 32.625, 38.875, 11.125],
        [0] * 4,
        [0] * 4,
    ]
    ours = resize_image(PICTURE, (4, 4), "bilinear", "pad")[:, :, 0]
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    ours = resize_image(PICTURE, (6, 12), "bilinear", "pad")[:, :, 0]
    first = [0, 0, 9.25, 27.75, 30.25, 16.75, 19.25, 37.75, 40.25, 26.75, 20, 0]
    last = [0, 50, 43.25, 29.75, 32.25, 50.75, 53.25, 39.75, 26.25, 12.75, 6, 0]
    np.testing.assert_allclose(ours[[0, 5]], [first, last], atol=1e-4)


@pytest.mark.parametrize("shape", [(300, 200), (31, 77), (256, 256), (1, 999)])
def test_padded_pictures_have_the_requested_size(shape):
    image = np.ones((*shape, 1), np.float32)
    padded = resize_image(image, (256, 64), "bilinear", "pad")
    assert padded.shape == (256, 64, 1)
    rows, columns = padded[:, :, 0].any(1).sum(), padded[:, :, 0].any(0).sum()
    scale = min(256 / shape[0], 64 / shape[1])
    assert abs(rows - max(shape[0] * scale, 1)) <= 1 and abs(columns - shape[1] * scale) <= 1
