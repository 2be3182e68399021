"""A residual network with a custom convolution."""

import jax
import keras
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)


class Conv2D(fjax.Layer):
    """`keras.layers.Conv2D` for channels-last inputs, with padding "same"."""

    def __init__(self, filters, kernel_size, strides=1, activation=None, use_bias=True, **named):
        super().__init__(**named)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.activation = fjax.activations.get(activation)
        self.use_bias = use_bias

    def build(self, input_shape):
        size = (self.kernel_size, self.kernel_size)
        self.kernel = self.add_weight((*size, input_shape[-1], self.filters), name="kernel")
        if self.use_bias:
            self.bias = self.add_weight((self.filters,), "zeros", name="bias")

    def call(self, inputs):
        outputs = jax.lax.conv_general_dilated(
            inputs,
            self.kernel,
            (self.strides, self.strides),
            "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)


def residual(keras, convolution):
    """A stem and two blocks, the second of which halves the resolution."""

    def block(inputs, filters, strides=1):
        outputs = convolution(filters, 3, strides=strides, use_bias=False, padding="same")(inputs)
        outputs = keras.layers.BatchNormalization(momentum=0.9)(outputs)
        outputs = keras.layers.Activation("relu")(outputs)
        outputs = convolution(filters, 3, use_bias=False, padding="same")(outputs)
        outputs = keras.layers.BatchNormalization(momentum=0.9)(outputs)
        if strides > 1:
            inputs = convolution(filters, 1, strides=strides, use_bias=False, padding="same")(
                inputs
            )
            inputs = keras.layers.BatchNormalization(momentum=0.9)(inputs)
        return keras.layers.Activation("relu")(keras.layers.Add()([inputs, outputs]))

    inputs = keras.Input((14, 14))
    pixels = keras.layers.Reshape((14, 14, 1))(inputs)
    values = convolution(4, 3, activation="relu", padding="same")(pixels)
    values = block(block(values, 4), 8, strides=2)
    outputs = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(values))
    return keras.Model(inputs, outputs)


def ours(filters, kernel_size, *, padding, **named):
    assert padding == "same"
    return Conv2D(filters, kernel_size, **named)


def build(library):
    return residual(library, ours if library is fjax else keras.layers.Conv2D)


def compiled(library, model):
    model.compile(
        library.optimizers.SGD(0.02, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )


def test_blocks_with_batch_normalization(judge, fashion):
    x, y = fashion
    models = judge.compare(build, compiled, x[:128, ::2, ::2], y[:128])
    assert models[0].count_params() == models[1].count_params()
