"""Convolution and pooling compared with Keras, for random options."""

import jax
import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fjax import layers

FEW = settings(max_examples=8, deadline=None, derandomize=True, database=None,
               suppress_health_check=list(HealthCheck))  # fmt: skip
MANY = settings(FEW, max_examples=150, derandomize=False)


@st.composite
def kernels(draw):
    """Draw a layer with kernels: its name, arguments, and the shape of its inputs."""
    name = draw(st.sampled_from(
        ["Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D",
         "SeparableConv2D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"]
    ))  # fmt: skip
    rank = int(name.split("D")[-2][-1])
    ones = (1,) * rank
    groups = draw(st.sampled_from([1, 2])) if name in ("Conv1D", "Conv2D", "Conv3D") else 1
    several = st.tuples(*[st.integers(1, 3)] * rank)
    config = {
        "kernel_size": draw(several),
        "padding": draw(st.sampled_from(["valid", "same"])),
        "data_format": draw(st.sampled_from(["channels_last", "channels_first"])),
        "use_bias": draw(st.booleans()),
        "activation": draw(st.sampled_from([None, "tanh"])),
    }
    if draw(st.booleans()):
        config["strides"] = draw(several)
    else:
        config["dilation_rate"] = draw(several)
    if name.startswith(("Depthwise", "Separable")):
        config["depth_multiplier"] = draw(st.integers(1, 2))
    if not name.startswith("Depthwise"):
        config["filters"] = 2 * draw(st.integers(1, 2))
    if groups > 1:
        config["groups"] = groups
    if name.endswith("Transpose") and draw(st.booleans()):
        steps = config.get("strides", ones)
        config["output_padding"] = tuple(draw(st.integers(0, step - 1)) for step in steps)
    return name, config, shape_of(draw, rank, config["data_format"], groups)


@st.composite
def pools(draw):
    """Draw a pooling layer: its name, arguments, and the shape of its inputs."""
    rank = draw(st.integers(1, 3))
    name = draw(st.sampled_from(["MaxPooling", "AveragePooling"])) + f"{rank}D"
    several = st.tuples(*[st.integers(1, 3)] * rank)
    config = {
        "pool_size": draw(several),
        "strides": draw(st.none() | several),
        "padding": draw(st.sampled_from(["valid", "same"])),
        "data_format": draw(st.sampled_from(["channels_last", "channels_first"])),
    }
    return name, config, shape_of(draw, rank, config["data_format"], 1)


def shape_of(draw, rank, data_format, groups):
    space = [draw(st.integers(3, 7)) for _ in range(rank)]
    channels = groups * draw(st.integers(1, 2))
    return (2, *space, channels) if data_format == "channels_last" else (2, channels, *space)


def compare(drawn):
    """Compare outputs and gradients; if Keras raises, fjax must raise too."""
    name, config, shape = drawn
    random = np.random.default_rng(0)
    inputs = random.normal(size=shape).astype("float32")
    theirs = getattr(keras.layers, name)(**config)
    try:
        expected = theirs(inputs)
    except ValueError:
        with pytest.raises(ValueError, match=f"`{name}`"):
            getattr(layers, name)(**config).init(jax.random.key(0), inputs)
        return
    assume(0 not in expected.shape)
    layer = getattr(layers, name)(**config)
    params, state = layer.init(jax.random.key(0), inputs)
    weights = [random.normal(size=weight.shape).astype("float32") for weight in theirs.weights]
    theirs.set_weights(weights)
    assert list(params) == [weight.name for weight in theirs.weights]
    params = dict(zip(params, weights, strict=True))
    direction = random.normal(size=expected.shape).astype("float32")

    @jax.jit
    def ours(params, inputs):
        def loss(params, inputs):
            outputs, _ = layer.apply(params, state, inputs)
            return (outputs * direction).sum(), outputs

        return jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(params, inputs)

    @jax.jit
    def keras_own(weights, inputs):
        def loss(weights, inputs):
            outputs, _ = theirs.stateless_call(weights, [], inputs)
            return (outputs * direction).sum(), outputs

        return jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(weights, inputs)

    (_, outputs), (own, own_inputs) = ours(params, inputs)
    (_, expected), (gradients, gradients_inputs) = keras_own(weights, inputs)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(own_inputs, gradients_inputs, rtol=1e-4, atol=1e-4)
    for weight, gradient in zip(params, gradients, strict=True):
        np.testing.assert_allclose(own[weight], gradient, rtol=1e-4, atol=1e-4)


@FEW
@given(kernels())
def test_layers_with_kernels(drawn):
    compare(drawn)


@FEW
@given(pools())
def test_pooling_layers(drawn):
    compare(drawn)


@pytest.mark.slow
@MANY
@given(kernels() | pools())
def test_many_layers(drawn):
    compare(drawn)


def test_the_average_of_masked_steps():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(3, 5, 2)).astype("float32")
    mask = random.random((3, 5)) < 0.6
    expected = keras.layers.GlobalAveragePooling1D()(inputs, mask=mask)
    np.testing.assert_allclose(
        layers.GlobalAveragePooling1D()(inputs, mask=mask), expected, rtol=1e-6
    )
