"""Padding, cropping and resizing layers, and PReLU, compared with Keras."""

import jax
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fjax import layers

RANDOM = np.random.default_rng(0)
INTERPOLATIONS = st.sampled_from(["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
FORMATS = st.sampled_from(["channels_last", "channels_first"])
ENDS = st.integers(0, 2) | st.tuples(st.integers(0, 2), st.integers(0, 2))


def compare(name, config, inputs):
    theirs, ours = getattr(keras.layers, name)(**config), getattr(layers, name)(**config)
    params, state = ours.init(jax.random.key(0), inputs)
    outputs, _ = ours.apply(params, state, inputs)
    expected = np.asarray(theirs(inputs))
    assert outputs.dtype == expected.dtype
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


def images(height, width, data_format, dtype="float32"):
    shape = (2, height, width, 1) if data_format == "channels_last" else (2, 1, height, width)
    return (RANDOM.random(shape) * 255).astype(dtype)


def resizing_agrees(height, width, interpolation, aspect, antialias, data_format, sizes, dtype):
    config = {
        "height": height, "width": width, "interpolation": interpolation,
        "antialias": antialias, "data_format": data_format, "fill_value": 7.0,
    }  # fmt: skip
    if aspect is not None:
        config[f"{aspect}_to_aspect_ratio"] = True
    compare("Resizing", config, images(*sizes, data_format, dtype))


resizings = given(
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    interpolation=INTERPOLATIONS,
    aspect=st.sampled_from([None, "crop", "pad"]),
    antialias=st.booleans(),
    data_format=FORMATS,
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    dtype=st.just("float32"),
)


@settings(max_examples=8, deadline=None, derandomize=True)
@resizings
def test_resizing(**drawn):
    resizing_agrees(**drawn)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@resizings
def test_many_resizings(**drawn):
    resizing_agrees(**drawn)


def padding_agrees(padding, cropping, size, data_format, interpolation):
    inputs = images(5, 6, data_format)
    compare("ZeroPadding2D", {"padding": padding, "data_format": data_format}, inputs)
    compare("Cropping2D", {"cropping": cropping, "data_format": data_format}, inputs)
    config = {"size": size, "data_format": data_format, "interpolation": interpolation}
    compare("UpSampling2D", config, inputs)


rims = given(
    padding=st.integers(0, 2) | st.tuples(ENDS, ENDS),
    cropping=st.integers(0, 2) | st.tuples(ENDS, ENDS),
    size=st.integers(1, 3) | st.tuples(st.integers(1, 3), st.integers(1, 3)),
    data_format=FORMATS,
    interpolation=INTERPOLATIONS,
)


@settings(max_examples=6, deadline=None, derandomize=True)
@rims
def test_padding_cropping_and_upsampling_of_images(**drawn):
    padding_agrees(**drawn)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@rims
def test_many_paddings_croppings_and_upsamplings(**drawn):
    padding_agrees(**drawn)


def test_one_image_and_whole_numbers():
    one = images(4, 5, "channels_last", "uint8")
    compare("Resizing", {"height": 3, "width": 7, "interpolation": "bicubic"}, one)
    compare("Resizing", {"height": 3, "width": 7, "pad_to_aspect_ratio": True}, one[0])
