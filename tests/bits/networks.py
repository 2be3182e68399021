"""Twelve small trainings that together pass through every part of the engine."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fjax
from fjax.layers import (
    GRU,
    LSTM,
    Add,
    BatchNormalization,
    Bidirectional,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAveragePooling2D,
    Layer,
    LayerNormalization,
    MaxPooling2D,
    MultiHeadAttention,
    ReLU,
    TimeDistributed,
)

Training = Callable[[], fjax.Model]
TRAININGS: dict[str, Training] = {}

EPOCHS = 3


def training(function: Training) -> Training:
    """Register a training under the name of its function."""
    TRAININGS[function.__name__] = function
    return function


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    # numpy promises that `RandomState` keeps its stream.
    return np.random.RandomState(seed).standard_normal(shape).astype("float32")


def labels(count: int, classes: int, seed: int = 1) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, classes, count).astype("int32")


def fit(model: fjax.Model, *data: Any, **options: Any) -> fjax.Model:
    model.fit(*data, epochs=EPOCHS, verbose=0, **options)
    return model


@training
def dense_sgd() -> fjax.Model:
    model = fjax.Sequential([fjax.Input((5,)), Dense(7, "tanh"), Dense(1)], seed=1)
    model.compile(fjax.optimizers.SGD(0.05, momentum=0.9), "mse", metrics=["mae"])
    return fit(model, numbers(50, 5), numbers(50, 1, seed=2), batch_size=8)


@training
def convolutions_and_batch_normalization() -> fjax.Model:
    model = fjax.Sequential(
        [
            fjax.Input((8, 8, 2)),
            Conv2D(4, 3, padding="same", use_bias=False),
            BatchNormalization(),
            ReLU(),
            MaxPooling2D(),
            DepthwiseConv2D(3),
            GlobalAveragePooling2D(),
            Dense(3, "softmax"),
        ],
        seed=2,
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return fit(
        model, numbers(30, 8, 8, 2), labels(30, 3), batch_size=8, validation_split=0.2,
        class_weight={0: 1.0, 1: 2.0, 2: 0.5},
    )  # fmt: skip


@training
def masked_recurrence() -> fjax.Model:
    tokens = np.random.RandomState(3).randint(0, 9, (24, 6)).astype("int32")
    model = fjax.Sequential(
        [
            fjax.Input((6,), dtype="int32"),
            Embedding(9, 4, mask_zero=True),
            LSTM(5),
            Dense(1),
        ],
        seed=3,
    )
    model.compile("rmsprop", "binary_crossentropy")
    return fit(model, tokens, labels(24, 2), batch_size=7)


@training
def bidirectional_gru() -> fjax.Model:
    model = fjax.Sequential(
        [
            fjax.Input((5, 3)),
            Bidirectional(GRU(4, return_sequences=True)),
            TimeDistributed(Dense(2)),
        ],
        seed=4,
    )
    model.compile("nadam", "huber")
    return fit(model, numbers(20, 5, 3), numbers(20, 5, 2, seed=5), batch_size=6)


@training
def dropout_and_penalties() -> fjax.Model:
    model = fjax.Sequential(
        [
            fjax.Input((6,)),
            Dense(8, "relu", kernel_regularizer="l2", kernel_constraint="max_norm"),
            Dropout(0.4),
            GaussianNoise(0.1),
            Dense(4, activity_regularizer="l1"),
        ],
        seed=5,
    )
    model.compile(fjax.optimizers.Adam(0.01, clipnorm=1.0, use_ema=True), "mae")
    return fit(
        model, numbers(40, 6), numbers(40, 4, seed=6), batch_size=16,
        sample_weight=np.abs(numbers(40, seed=7)),
    )  # fmt: skip


@training
def graph_of_two_inputs_and_outputs() -> fjax.Model:
    wide, deep = fjax.Input((3,), name="wide"), fjax.Input((4,), name="deep")
    hidden = Dense(5, "relu")(deep)
    both = Concatenate()([wide, hidden])
    price, kind = (
        Dense(1, name="price")(both),
        Dense(3, "softmax", name="kind")(hidden),
    )
    model = fjax.Model([wide, deep], {"price": price, "kind": kind}, seed=6)
    model.compile(
        "adam",
        {"price": "mse", "kind": "sparse_categorical_crossentropy"},
        loss_weights={"price": 0.3, "kind": 1.0},
        metrics={"kind": ["accuracy"]},
    )
    return fit(
        model,
        {"wide": numbers(33, 3), "deep": numbers(33, 4, seed=8)},
        {"price": numbers(33, 1, seed=9), "kind": labels(33, 3)},
        batch_size=10,
    )


@training
def attention_with_residuals() -> fjax.Model:
    inputs = fjax.Input((4, 6))
    attended = MultiHeadAttention(2, 3)(inputs, inputs)
    normalized = LayerNormalization()(Add()([inputs, attended]))
    model = fjax.Model(inputs, Dense(1)(Flatten()(normalized)), seed=7)
    model.compile(fjax.optimizers.AdamW(0.01), "mse")
    return fit(model, numbers(18, 4, 6), numbers(18, 1, seed=10), batch_size=5)


@training
def frozen_part() -> fjax.Model:
    base = fjax.Sequential([fjax.Input((4,)), Dense(6), BatchNormalization()], name="base")
    base.trainable = False
    inputs = fjax.Input((4,))
    model = fjax.Model(inputs, Dense(2)(base(inputs)), seed=8)
    base.set_seed(8)
    model.compile("sgd", "mse")
    return fit(model, numbers(20, 4), numbers(20, 2, seed=11))


class Scaled(Layer):
    """An authored layer with a weight, a state and a penalty."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            self.seen = self.seen + 1.0
        self.add_loss(0.01 * jnp.sum(self.scale**2))
        return inputs * self.scale


@training
def authored_layer() -> fjax.Model:
    model = fjax.Sequential([fjax.Input((3,)), Scaled(), Dense(2)], seed=9)
    model.compile("adagrad", "mse")
    return fit(model, numbers(25, 3), numbers(25, 2, seed=12), batch_size=4)


@training
def repeated_blocks_of_functions() -> fjax.Model:
    block = fjax.residual(fjax.serial(Dense(4), jax.nn.gelu))
    model = fjax.Model(fjax.serial(fjax.repeat(block, 3), Dense(1)), input_shape=(4,), seed=10)
    model.compile(fjax.optimizers.SGD(fjax.optimizers.schedules.CosineDecay(0.1, 20)), "log_cosh")
    return fit(model, numbers(30, 4), numbers(30, 1, seed=13), batch_size=8, shuffle=False)


@training
def stream_of_batches() -> fjax.Model:
    x, y = numbers(40, 5), numbers(40, 2, seed=14)

    class Batches:
        def __iter__(self) -> Iterator[Any]:
            for start in range(0, 40, 12):
                yield x[start : start + 12], y[start : start + 12]

    model = fjax.Sequential([fjax.Input((5,)), Dense(6, "selu"), Dense(2)], seed=11)
    model.compile("adamax", "mse")
    return fit(model, Batches(), validation_data=(x[:9], y[:9]))


@training
def callbacks_and_single_steps() -> fjax.Model:
    class Every(fjax.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.last = logs["loss"]

    model = fjax.Sequential([fjax.Input((4,)), Dense(5, "relu"), Dense(1, "sigmoid")], seed=12)
    model.compile("ftrl", "binary_crossentropy", metrics=["auc"])
    x, y = numbers(26, 4), labels(26, 2)
    fit(
        model, x, y, batch_size=8,
        callbacks=[Every(), fjax.callbacks.ReduceLROnPlateau(monitor="loss", patience=1)],
    )  # fmt: skip
    model.train_on_batch(x[:5], y[:5])
    return model
