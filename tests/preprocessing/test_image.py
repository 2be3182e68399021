"""Pictures: reading, converting and saving, compared with Keras."""

import io

import keras
import numpy as np
import pytest
from PIL import Image

from fjax.preprocessing.image import (
    array_to_img,
    img_to_array,
    load_img,
    save_img,
    smart_resize,
)


@pytest.fixture
def picture(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (13, 20, 4), dtype=np.uint8)
    path = tmp_path / "picture.png"
    Image.fromarray(values).save(path)
    return path


@pytest.mark.parametrize("color_mode", ["rgb", "rgba", "grayscale"])
@pytest.mark.parametrize("keep_aspect_ratio", [False, True])
@pytest.mark.parametrize(
    "interpolation", ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]
)
def test_load_img_returns_the_pixels_of_keras(
    picture, color_mode, keep_aspect_ratio, interpolation
):
    arguments = {
        "color_mode": color_mode,
        "target_size": (7, 9),
        "interpolation": interpolation,
        "keep_aspect_ratio": keep_aspect_ratio,
    }
    ours, theirs = load_img(picture, **arguments), keras.utils.load_img(picture, **arguments)
    assert ours.mode == theirs.mode
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_load_img_takes_paths_and_open_files(picture):
    content = picture.read_bytes()
    for path in (picture, str(picture), str(picture).encode(), io.BytesIO(content)):
        assert load_img(path).size == (20, 13)


def test_gray_pictures_of_16_bits_keep_their_values(tmp_path):
    values = np.array([[0, 300], [40_000, 65_535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "gray.png")
    ours = img_to_array(load_img(tmp_path / "gray.png", color_mode="grayscale"))
    theirs = keras.utils.load_img(tmp_path / "gray.png", color_mode="grayscale")
    np.testing.assert_array_equal(ours, keras.utils.img_to_array(theirs))
    assert ours.max() == 65_535


@pytest.mark.parametrize("data_format", [None, "channels_last", "channels_first"])
@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)])
@pytest.mark.parametrize("dtype", [None, "uint8"])
def test_img_to_array_is_that_of_keras(data_format, shape, dtype):
    image = np.arange(np.prod(shape)).reshape(shape)
    ours = img_to_array(image, data_format, dtype)
    theirs = keras.utils.img_to_array(image, data_format, dtype)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("scale", [False, True])
def test_array_to_img_is_that_of_keras(channels, data_format, scale):
    array = np.random.default_rng(1).uniform(0, 255, (5, 6, channels))
    if data_format == "channels_first":
        array = array.transpose(2, 0, 1)
    ours = array_to_img(array, data_format, scale)
    theirs = keras.utils.array_to_img(array, data_format, scale)
    assert ours.mode == theirs.mode
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
def test_array_to_img_of_large_and_of_constant_values():
    for array, scale in ((np.full((2, 2, 1), 999.0), False), (np.full((2, 2, 3), 7.0), True)):
        ours, theirs = (
            array_to_img(array, scale=scale),
            keras.utils.array_to_img(array, scale=scale),
        )
        assert ours.mode == theirs.mode
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_save_img_writes_the_picture(tmp_path):
    array = np.random.default_rng(2).integers(0, 256, (4, 5, 3)).astype("float32")
    save_img(tmp_path / "a.png", array, scale=False)
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / "a.png")), array)
    save_img(tmp_path / "a.jpg", array, quality=80)
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.format == "JPEG"


def test_save_img_warns_that_jpeg_has_no_transparency(tmp_path):
    with pytest.warns(UserWarning, match="JPEG has no transparency"):
        save_img(tmp_path / "a.jpg", np.zeros((2, 2, 4)))
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.mode == "RGB"


@pytest.mark.parametrize("size", [(4, 4), (9, 5), (20, 40)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("axes", [3, 4])
def test_smart_resize_is_that_of_keras(size, data_format, axes):
    shape = (10, 17, 3) if data_format == "channels_last" else (3, 10, 17)
    x = np.random.default_rng(3).uniform(size=((2,) * (axes == 4)) + shape).astype("float32")
    ours = smart_resize(x, size, data_format=data_format)
    theirs = keras.preprocessing.image.smart_resize(x, size, data_format=data_format)
    assert isinstance(ours, np.ndarray)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda path: load_img(path / "none.png"), FileNotFoundError, "none.png"),
        (lambda path: load_img(path / "text.png"), ValueError, "text.png is not a picture"),
        (lambda path: load_img(path / "cut.png"), ValueError, "cut.png is not a picture"),
        (lambda path: load_img(3), TypeError, "`path` must be a path"),
        (lambda path: load_img(path, color_mode="rbg"), ValueError, "Did you mean `rgb`"),
        (lambda path: load_img(path, interpolation="linear"), ValueError, "`interpolation`"),
        (lambda path: load_img(path / "a.png", target_size=3.5), ValueError, "two integers"),
        (lambda path: img_to_array(np.zeros(3)), ValueError, "two or three axes"),
        (lambda path: img_to_array(np.zeros((2, 2)), "last"), ValueError, "`data_format`"),
        (lambda path: array_to_img(np.zeros((2, 2))), ValueError, "three axes"),
        (lambda path: array_to_img(np.zeros((2, 2, 2))), ValueError, "1, 3 or 4 channels"),
        (lambda path: save_img(path / "a", np.zeros((2, 2, 3))), ValueError, "format is unknown"),
        (lambda path: smart_resize(np.zeros((2, 2)), (3, 3)), ValueError, "three axes"),
    ],
)
def test_mistakes_are_clear_errors(tmp_path, call, error, message):
    (tmp_path / "text.png").write_text("no picture")
    save_img(tmp_path / "a.png", np.random.default_rng(0).uniform(size=(30, 30, 3)))
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:200])
    with pytest.raises(error, match=message):
        call(tmp_path)


def test_without_pillow_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"`load_img` needs pillow: `pip install fjax\[images\]`"):
        load_img("a.png")
