"""Convolution and pooling layers: error messages, aliases, masks and penalties."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import initializers, layers
from fjax.core.masking import Masked
from fjax.layers import Conv1D, Conv2D, Conv2DTranspose, DepthwiseConv2D, MaxPooling2D

KEY = jax.random.key(0)
FIRST = "channels_first"

# A layer, its arguments, and a part of the error message.
ARGUMENTS = [
    ("Conv2D", {"filters": 0, "kernel_size": 3}, "`Conv2D`: `filters` must be an integer of at l"),
    ("Conv2D", {"filters": 2, "kernel_size": (3, 3, 3)}, "`Conv2D`: `kernel_size` must be one int"),
    ("Conv2D", {"filters": 2, "kernel_size": 3, "strides": 0}, "`strides` must be an integer of a"),
    ("Conv2D", {"filters": 2, "kernel_size": 3, "padding": "smae"}, "Did you mean `same`?"),
    ("Conv2D", {"filters": 2, "kernel_size": 3, "padding": "causal"}, "is for `Conv1D` only"),
    ("Conv2D", {"filters": 3, "kernel_size": 3, "groups": 2}, "2 does not divide `filters` 3"),
    ("Conv2D", {"filters": 3, "kernel_size": 3, "strides": 2, "dilation_rate": 2}, "both be above"),
    ("Conv2D", {"filters": 3, "kernel_size": 3, "data_format": "channel_last"}, "Did you mean `"),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", "data_format": FIRST},
     "needs `data_format` 'channels_last'"),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 2},
     "must be below `strides` (2, 2)"),
    ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 0}, "`depth_multiplier` must be"),
    ("SeparableConv1D", {"filters": 3, "kernel_size": 3, "padding": "causal"}, "for `Conv1D`"),
    ("MaxPooling2D", {"pool_size": (2, 0)}, "`MaxPooling2D`: `pool_size` must be one integer"),
    ("AveragePooling1D", {"pool_size": 2, "padding": "full"}, "must be one of 'valid', 'same'"),
    ("GlobalMaxPooling1D", {"keepdims": 1}, "`keepdims` must be True or False, received 1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "config", "message"), ARGUMENTS, ids=lambda value: str(value)[:40]
)
def test_invalid_arguments(name, config, message):
    with pytest.raises(ValueError) as caught:
        getattr(layers, name)(**config)
    assert message in str(caught.value)
    assert f"`{name}`" in str(caught.value)


def test_a_missing_channel_axis_is_reported():
    for layer in (Conv2D(3, 3), MaxPooling2D(), Conv2DTranspose(3, 3), layers.GlobalMaxPooling2D()):
        with pytest.raises(ValueError, match=r"missing, add it: `x\[\.\.\., None\]`"):
            layer.init(KEY, jnp.ones((4, 28, 28)))
            layer.apply({}, {}, jnp.ones((4, 28, 28)))
    with pytest.raises(ValueError, match=r"\(batch, channels, height, width\).*`x\[:, None\]`"):
        Conv2D(3, 3, data_format="channels_first").init(KEY, jnp.ones((4, 28, 28)))
    with pytest.raises(ValueError, match=r"received \(4, 28\)\.$"):
        Conv2D(3, 3).init(KEY, jnp.ones((4, 28)))


def test_inputs_smaller_than_the_window_are_reported():
    message = r"window of \(5, 5\) \(of \(3, 3\), with `dilation_rate` \(2, 2\)\) does not fit"
    with pytest.raises(ValueError, match=message):
        Conv2D(2, 3, dilation_rate=2).init(KEY, jnp.ones((1, 4, 9, 3)))
    with pytest.raises(ValueError, match=r"spatial axes are \(1, 9\): the outputs would be empty"):
        MaxPooling2D().apply({}, {}, jnp.ones((1, 1, 9, 3)))
    with pytest.raises(ValueError, match="Use inputs that are not empty"):
        MaxPooling2D(padding="same").apply({}, {}, jnp.ones((1, 0, 9, 3)))
    with pytest.raises(ValueError, match="which are empty along a spatial axis"):
        layers.GlobalAveragePooling1D().apply({}, {}, jnp.ones((1, 0, 3)))


def test_a_wrong_number_of_channels_is_reported():
    for layer in (
        Conv2D(4, 2),
        Conv2DTranspose(4, 2),
        DepthwiseConv2D(2),
        layers.SeparableConv2D(4, 2),
    ):
        params, state = layer.init(KEY, jnp.ones((1, 5, 6, 3)))
        with pytest.raises(ValueError, match=r"was built for 3 channels, .* \(1, 5, 6, 4\) with 4"):
            layer.apply(params, state, jnp.ones((1, 5, 6, 4)))
    with pytest.raises(ValueError, match="`groups` 2 does not divide the 3 channels"):
        Conv2D(4, 2, groups=2).init(KEY, jnp.ones((1, 5, 6, 3)))


def test_arguments_are_stored_as_keras_stores_them():
    layer = Conv2D(4, 3, strides=2, padding="SAME", data_format=None)
    assert (layer.kernel_size, layer.strides) == ((3, 3), (2, 2))
    assert (layer.padding, layer.data_format) == ("same", "channels_last")
    assert MaxPooling2D(3).strides == (3, 3)
    assert repr(Conv2D(4, 3)) == "Conv2D(filters=4, kernel_size=(3, 3))"


def test_aliases():
    for short, long in (("Max", "Max"), ("Avg", "Average")):
        for axes in ("1D", "2D", "3D"):
            assert getattr(layers, f"{short}Pool{axes}") is getattr(layers, f"{long}Pooling{axes}")
            alias = getattr(layers, f"Global{short}Pool{axes}")
            assert alias is getattr(layers, f"Global{long}Pooling{axes}")
    for axes in ("1D", "2D", "3D"):
        assert getattr(layers, f"Convolution{axes}") is getattr(layers, f"Conv{axes}")
        alias = getattr(layers, f"Convolution{axes}Transpose")
        assert alias is getattr(layers, f"Conv{axes}Transpose")
    assert layers.SeparableConvolution2D is layers.SeparableConv2D


def test_the_fans_of_a_kernel_are_those_of_keras():
    layer = Conv2D(16, 3, kernel_initializer=initializers.GlorotUniform(seed=1))
    kernel = layer.init(KEY, jnp.ones((1, 9, 9, 8)))[0]["kernel"]
    limit = np.sqrt(6 / (9 * 8 + 9 * 16))
    assert 0.98 * limit < np.abs(kernel).max() <= limit


def test_an_average_ignores_masked_steps():
    values = jnp.array([[[1.0], [3.0], [8.0]], [[2.0], [5.0], [5.0]]])
    mask = jnp.array([[True, True, False], [True, False, False]])
    layer = layers.GlobalAveragePooling1D()
    outputs, _ = layer.apply({}, {}, Masked(values, mask))
    np.testing.assert_array_equal(outputs, [[2.0], [2.0]])
    first = layers.GlobalAveragePooling1D(data_format="channels_first", keepdims=True)
    outputs, _ = first.apply({}, {}, Masked(values.swapaxes(1, 2), mask))
    np.testing.assert_array_equal(outputs, [[[2.0]], [[2.0]]])


def test_a_depthwise_kernel_is_regularized_and_constrained():
    layer = DepthwiseConv2D(2, depthwise_regularizer="l2", depthwise_constraint="non_neg")
    params, state = layer.init(KEY, jnp.ones((1, 4, 4, 3)))
    _, state = layer.apply(params, state, jnp.ones((1, 4, 4, 3)))
    expected = 0.01 * np.square(params["kernel"]).sum()
    np.testing.assert_allclose(state["penalty"]["weights"], expected, rtol=1e-5)
    assert (layer.constrain(params)["kernel"] >= 0).all()


def test_a_causal_convolution_does_not_depend_on_later_steps():
    layer = Conv1D(2, 3, padding="causal", dilation_rate=2)
    inputs = jax.random.normal(KEY, (1, 8, 3))
    params, state = layer.init(KEY, inputs)
    later = inputs.at[:, 5:].add(1.0)
    first, second = (layer.apply(params, state, x)[0] for x in (inputs, later))
    np.testing.assert_array_equal(first[:, :5], second[:, :5])
    assert (first[:, 5:] != second[:, 5:]).any()
