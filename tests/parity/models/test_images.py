"""Convolutional networks on images, compared with Keras."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)


def tutorial(keras):
    """The network of introductory tutorials."""
    return keras.Sequential(
        [
            keras.Input(shape=(28, 28, 1)),
            keras.layers.Conv2D(4, kernel_size=(3, 3), activation="relu"),
            keras.layers.MaxPooling2D(pool_size=(2, 2)),
            keras.layers.Conv2D(6, 3, activation="relu", kernel_regularizer="l2"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def residual(keras):
    """Blocks with normalization, strides and a shortcut, and separable convolutions."""
    layers = keras.layers

    def block(inputs, filters, strides):
        outputs = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(inputs)
        outputs = layers.ReLU()(layers.BatchNormalization(momentum=0.8)(outputs))
        outputs = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(outputs)
        outputs = layers.BatchNormalization(momentum=0.8)(outputs)
        if strides > 1:
            inputs = layers.Conv2D(filters, 1, strides, padding="same")(inputs)
        return layers.Activation("relu")(layers.add([inputs, outputs]))

    inputs = keras.Input((28, 28, 1))
    outputs = layers.Conv2D(4, 5, strides=2, activation="relu")(layers.ZeroPadding2D(2)(inputs))
    outputs = block(block(outputs, 4, 1), 6, 2)
    outputs = layers.DepthwiseConv2D(3, padding="same", activation="tanh")(outputs)
    outputs = layers.GlobalAveragePooling2D()(outputs)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(outputs))


def decoder(keras):
    """Downsampling by convolutions and upsampling by transposed convolutions."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(shape=(28, 28, 1)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="tanh"),
            layers.LayerNormalization(),
            layers.UpSampling2D(2),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )


def classifier(keras, model):
    model.compile(
        optimizer=keras.optimizers.SGD(0.05, momentum=0.5),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )


def reconstruction(keras, model):
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mse")


@pytest.mark.parametrize(
    ("build", "compiled"),
    [
        (tutorial, classifier),
        pytest.param(residual, classifier, marks=pytest.mark.slow),
        (decoder, reconstruction),
    ],
)
def test_training_on_images(judge, fashion, build, compiled):
    x, y = np.expand_dims(fashion[0][:192], -1), fashion[1][:192]
    judge.compare(build, compiled, x, x if compiled is reconstruction else y)
