"""Networks of well-known tutorials, in Keras's words, with one batch of drawn data.

Each function takes fjax or Keras, and returns a compiled model, inputs and targets.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Tutorial = Callable[[Any], tuple[Any, Any, Any]]

DRAWS = np.random.default_rng(0)


def translation(library: Any) -> tuple[Any, Any, Any]:
    """An LSTM reads a sentence, another one writes its translation."""
    layers, read, written, units = library.layers, 71, 93, 256
    sentence = library.Input((None, read))
    _, *states = layers.LSTM(units, return_state=True)(sentence)
    begun = library.Input((None, written))
    decoder = layers.LSTM(units, return_sequences=True, return_state=True)
    values, *_ = decoder(begun, initial_state=states)
    outputs = layers.Dense(written, activation="softmax")(values)
    model = library.Model([sentence, begun], outputs)
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    return model, [numbers(64, 16, read), numbers(64, 59, written)], one_hot(written, 64, 59)


def reviews(library: Any) -> tuple[Any, Any, Any]:
    """Two bidirectional LSTMs, one after the other."""
    layers = library.layers
    words = library.Input((None,), dtype="int32")
    values = layers.Embedding(20_000, 128)(words)
    values = layers.Bidirectional(layers.LSTM(64, return_sequences=True))(values)
    values = layers.Bidirectional(layers.LSTM(64))(values)
    model = library.Model(words, layers.Dense(1, activation="sigmoid")(values))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, integers(20_000, 32, 200), integers(2, 32)


def characters(library: Any) -> tuple[Any, Any, Any]:
    """An LSTM along characters, which writes the next one."""
    layers, count = library.layers, 56
    model = library.Sequential(
        [library.Input((40, count)), layers.LSTM(128), layers.Dense(count, activation="softmax")]
    )
    model.compile(library.optimizers.RMSprop(learning_rate=0.01), "categorical_crossentropy")
    return model, one_hot(count, 128, 40), one_hot(count, 128)


def image_autoencoder(library: Any) -> tuple[Any, Any, Any]:
    """Convolutions and poolings, then transposed convolutions."""
    layers = library.layers
    options = {"activation": "relu", "padding": "same"}
    inputs = values = library.Input((28, 28, 1))
    for _ in range(2):
        values = layers.Conv2D(32, 3, **options)(values)
        values = layers.MaxPooling2D(2, padding="same")(values)
    for _ in range(2):
        values = layers.Conv2DTranspose(32, 3, strides=2, **options)(values)
    outputs = layers.Conv2D(1, 3, activation="sigmoid", padding="same")(values)
    model = library.Model(inputs, outputs)
    model.compile("adam", "binary_crossentropy")
    images = numbers(128, 28, 28, 1)
    return model, images, images


def series_autoencoder(library: Any) -> tuple[Any, Any, Any]:
    """Convolutions along a series with dropout, then transposed convolutions."""
    layers = library.layers
    options = {"strides": 2, "activation": "relu", "padding": "same"}
    model = library.Sequential(
        [
            library.Input((288, 1)),
            layers.Conv1D(32, 7, **options),
            layers.Dropout(0.2),
            layers.Conv1D(16, 7, **options),
            layers.Conv1DTranspose(16, 7, **options),
            layers.Dropout(0.2),
            layers.Conv1DTranspose(32, 7, **options),
            layers.Conv1DTranspose(1, 7, padding="same"),
        ]
    )
    model.compile(library.optimizers.Adam(learning_rate=0.001), "mse")
    series = numbers(128, 288, 1)
    return model, series, series


def resnet_20(library: Any) -> tuple[Any, Any, Any]:
    """Three groups of three residual blocks (He et al., 2016)."""
    layers = library.layers

    def convolve(values: Any, filters: int, size: int, strides: int = 1) -> Any:
        values = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(values)
        return layers.BatchNormalization()(values)

    inputs = library.Input((32, 32, 3))
    values = layers.ReLU()(convolve(inputs, 16, 3))
    for group, filters in enumerate((16, 32, 64)):
        for block in range(3):
            strides = 2 if group and not block else 1
            around = convolve(values, filters, 1, strides) if strides > 1 else values
            through = layers.ReLU()(convolve(values, filters, 3, strides))
            values = layers.ReLU()(layers.Add()([convolve(through, filters, 3), around]))
    values = layers.GlobalAveragePooling2D()(values)
    model = library.Model(inputs, layers.Dense(10, activation="softmax")(values))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, numbers(32, 32, 32, 3), integers(10, 32)


TUTORIALS: dict[str, Tutorial] = {
    function.__name__: function
    for function in (
        translation, reviews, characters, image_autoencoder, series_autoencoder, resnet_20,
    )
}  # fmt: skip


def numbers(*shape: int) -> np.ndarray:
    """Return numbers from 0 to 1."""
    return DRAWS.random(shape, "float32")


def integers(high: int, *shape: int) -> np.ndarray:
    """Return integers from 0, less than `high`."""
    return DRAWS.integers(0, high, shape, "int32")


def one_hot(classes: int, *shape: int) -> np.ndarray:
    """Return drawn classes as one-hot rows."""
    return np.eye(classes, dtype="float32")[integers(classes, *shape)]
