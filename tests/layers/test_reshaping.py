"""Reshaping, padding, cropping and resizing layers: error messages and rounding."""

import jax.numpy as jnp
import numpy as np
import pytest

from fjax import layers

SEQUENCES, IMAGES = jnp.ones((2, 5, 3)), jnp.ones((2, 4, 6, 3))


def apply(layer, inputs):
    return layer.apply({}, {}, inputs)[0]


MISTAKES = {
    "dims": (lambda: layers.Permute((0, 1)), "`dims` must be the numbers from 1"),
    "dims twice": (lambda: layers.Permute((1, 1)), "each once"),
    "dims of letters": (lambda: layers.Permute("ab"), "`dims` must be the numbers"),
    "rank": (lambda: apply(layers.Permute((2, 1)), IMAGES), "needs inputs of 3 axes"),
    "n": (lambda: layers.RepeatVector(0), "`n` must be an integer of at least 1"),
    "n of letters": (lambda: layers.RepeatVector("2"), "`n` must be an integer"),
    "vector": (lambda: apply(layers.RepeatVector(2), SEQUENCES), r"\(batch, features\)"),
    "padding": (lambda: layers.ZeroPadding1D(-1), "`padding` must be an integer of at least 0"),
    "padding of letters": (lambda: layers.ZeroPadding2D("same"), "`padding` must be an integer"),
    "paddings": (lambda: layers.ZeroPadding2D((1, 2, 3)), "one for each of"),
    "padding of thirds": (lambda: layers.ZeroPadding3D(((1, 1), (1, 1), (1,))), "or a pair"),
    "cropping": (lambda: layers.Cropping1D(1.5), "`cropping` must be an integer"),
    "cropping all": (lambda: apply(layers.Cropping1D((2, 3)), SEQUENCES), "leaves nothing"),
    "cropping one axis": (lambda: apply(layers.Cropping2D((2, 0)), IMAGES), "leaves nothing"),
    "format": (lambda: layers.Cropping2D(1, data_format="last"), "`data_format` must be one of"),
    "images": (lambda: apply(layers.ZeroPadding2D(), SEQUENCES), "needs inputs of shape"),
    "size": (lambda: layers.UpSampling1D(0), "`size` must be an integer of at least 1"),
    "sizes": (lambda: layers.UpSampling2D((2, 2, 2)), "one for each of"),
    "interpolation": (lambda: layers.UpSampling2D(2, interpolation="cubic"), "`interpolation`"),
    "height": (lambda: layers.Resizing(0, 2), "`height` must be an integer of at least 1"),
    "fill mode": (lambda: layers.Resizing(2, 2, fill_mode="reflect"), "`fill_mode` must be one"),
    "crop and pad": (
        lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
        "cannot both be True",
    ),
    "fill value": (lambda: layers.Resizing(2, 2, fill_value="grey"), "`fill_value` must be"),
    "not images": (lambda: apply(layers.Resizing(2, 2), jnp.ones((2, 2))), "needs images"),
}


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_error_messages(mistake):
    make, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        make()


def test_integer_images_are_rounded_and_keep_their_dtype():
    outputs = apply(layers.Resizing(3, 3), jnp.arange(16, dtype="uint8").reshape(1, 4, 4, 1) * 17)
    assert outputs.dtype == np.uint8
    larger = apply(
        layers.Resizing(8, 8, interpolation="bicubic"), jnp.full((1, 2, 2, 1), 255, "uint8")
    )
    assert (np.asarray(larger) == 255).all()
