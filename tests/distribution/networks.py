"""Small networks, with their data and compile arguments, for runs on several devices."""

import jax
import numpy as np

import fjax
from fjax import layers, losses, optimizers

ROWS = 84


def data(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=(ROWS, *shape)).astype("float32")


def dense(**compiled):
    model = fjax.Sequential(
        [
            layers.Dense(16, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(1),
        ],
        seed=1,
    )
    model.compile("adam", "mse", metrics=["mae"], **compiled)
    return model, data(6), data(1, seed=1), {}


def convolution(**compiled):
    model = fjax.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ],
        seed=1,
    )
    model.compile(
        optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy",
        metrics=["accuracy"], **compiled,
    )  # fmt: skip
    return model, data(8, 8, 2), np.arange(ROWS) % 3, {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}}


def masked_recurrence(**compiled):
    model = fjax.Sequential(
        [layers.Embedding(10, 4, mask_zero=True), layers.LSTM(5), layers.Dense(1)], seed=1
    )
    model.compile("rmsprop", "mse", **compiled)
    words = np.random.default_rng(0).integers(0, 10, (ROWS, 5))
    weight = np.linspace(0.5, 1.5, ROWS)
    return model, words, data(1, seed=1), {"sample_weight": weight}


def several_outputs(**compiled):
    first, second = fjax.Input((6,), name="first"), fjax.Input((3,), name="second")
    hidden = layers.Concatenate()([layers.Dense(8, activation="tanh")(first), second])
    outputs = {"a": layers.Dense(2)(hidden), "b": layers.Dense(1)(hidden)}
    model = fjax.Model([first, second], outputs, seed=1)
    model.compile(
        optimizers.Adam(0.01, use_ema=True, clipnorm=0.5), {"a": "mse", "b": "mae"},
        loss_weights={"a": 1.0, "b": 0.3}, **compiled,
    )  # fmt: skip
    targets = {"a": data(2, seed=1), "b": data(1, seed=2)}
    return model, [data(6), data(3, seed=3)], targets, {}


class Authored(fjax.Model):
    """A model of an author, with a weight of its own."""

    def __init__(self):
        super().__init__(seed=1)
        self.dense = layers.Dense(8, activation="relu")
        self.norm = layers.LayerNormalization()
        self.scale = self.add_weight(shape=(8,), initializer="ones", name="scale")
        self.out = layers.Dense(1)

    def call(self, inputs, training=None):
        return self.out(self.norm(self.dense(inputs)) * self.scale)


def authored(**compiled):
    model = Authored()
    model.compile("adamw", "mse", **compiled)
    return model, data(6), data(1, seed=1), {}


class KerasStep(fjax.Model):
    """A model with a step in Keras's form."""

    def train_step(self, state, data):
        x, y = data
        trainable, others, optimizer, metrics = state

        def objective(trainable, others, x, y):
            outputs, others = self.stateless_call(trainable, others, x, training=True)
            return self.compute_loss(x, y, outputs), others

        differentiate = jax.value_and_grad(objective, has_aux=True)
        (loss, others), grads = differentiate(trainable, others, x, y)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
        return {"loss": loss}, (trainable, others, optimizer, metrics)


def keras_step(**compiled):
    inputs = fjax.Input((6,))
    model = KerasStep(inputs, layers.Dense(1)(layers.Dense(8, activation="relu")(inputs)), seed=1)
    model.compile("sgd", "mse", **compiled)
    return model, data(6), data(1, seed=1), {}


def pure_step(**compiled):
    model = fjax.Sequential([layers.Input((6,)), layers.Dense(8), layers.Dense(1)], seed=1)
    step = fjax.training.train_step(model.network, losses.MeanSquaredError(), optimizers.Adam(0.01))

    def with_norm(train_state, batch):
        next_state, logs = step(train_state, batch)
        return next_state, {"loss": logs["loss"], "norm": (batch.inputs[0] ** 2).mean()}

    # The loss is for `evaluate`.
    model.compile(optimizers.Adam(0.01), "mse", train_step=with_norm, **compiled)
    return model, data(6), data(1, seed=1), {}


def attention(**compiled):
    inputs = fjax.Input((6, 8))
    hidden = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    hidden = layers.GlobalAveragePooling1D()(layers.Add()([hidden, inputs]))
    model = fjax.Model(inputs, layers.Dense(1)(hidden), seed=1)
    model.compile(optimizers.Adam(0.01, gradient_accumulation_steps=2), "huber", **compiled)
    return model, data(6, 8), data(1, seed=1), {}


def frozen(**compiled):
    base = fjax.Sequential([layers.Dense(8, activation="relu"), layers.BatchNormalization()])
    base.trainable = False
    model = fjax.Sequential([layers.Input((6,)), base, layers.Dense(1)], seed=1)
    model.compile(
        optimizers.SGD(0.05, nesterov=True, momentum=0.9), "mse", metrics=["mae", "r2_score"],
        **compiled,
    )  # fmt: skip
    return model, data(6), data(1, seed=1), {}


def penalized(**compiled):
    model = fjax.Sequential(
        [
            layers.GaussianNoise(0.1),
            layers.Dense(
                8, activation="tanh", kernel_regularizer="l2", activity_regularizer="l1",
                bias_constraint="non_neg",
            ),
            layers.SpatialDropout1D(0.3),
            layers.GroupNormalization(4),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ],
        seed=1,
    )  # fmt: skip
    model.compile(
        optimizers.Nadam(0.01, ema_overwrite_frequency=2, use_ema=True), "binary_crossentropy",
        metrics=["auc"], **compiled,
    )  # fmt: skip
    return model, data(4, 6), (data(1, seed=1) > 0).astype("float32"), {}


def bidirectional(**compiled):
    words = fjax.Input((5,), dtype="int32")
    hidden = layers.Embedding(10, 4, mask_zero=True)(words)
    hidden = layers.Bidirectional(layers.GRU(3, return_sequences=True, dropout=0.2))(hidden)
    outputs = layers.TimeDistributed(layers.Dense(4, activation="softmax"))(hidden)
    model = fjax.Model(words, outputs, seed=1)
    model.compile(
        optimizers.Adam(optimizers.schedules.CosineDecay(0.02, 9)),
        "sparse_categorical_crossentropy", weighted_metrics=["accuracy"], **compiled,
    )  # fmt: skip
    words = np.random.default_rng(0).integers(1, 10, (ROWS, 5))
    words[::3, 3:] = 0
    return model, words, words % 4, {}


class Block(layers.Layer):
    """A block of an author, with attention to earlier steps."""

    def __init__(self):
        super().__init__()
        self.norm = layers.LayerNormalization()
        self.attention = layers.MultiHeadAttention(2, 4, dropout=0.1)
        self.dense = layers.Dense(8, activation="gelu")

    def call(self, inputs):
        hidden = self.norm(inputs)
        return self.dense(inputs + self.attention(hidden, hidden, use_causal_mask=True))


def repeated(**compiled):
    tokens, words = layers.ReversibleEmbedding(16, 8), fjax.Input((6,), dtype="int32")
    hidden = fjax.repeat(Block(), 3, remat=True)(tokens(words))
    model = fjax.Model(words, tokens(hidden, reverse=True), seed=1)
    model.compile(
        optimizers.AdamW(0.01, clipnorm=1.0),
        losses.SparseCategoricalCrossentropy(from_logits=True), **compiled,
    )  # fmt: skip
    words = np.random.default_rng(0).integers(0, 16, (ROWS, 7))
    return model, words[:, :-1], words[:, 1:], {}


ALL = [
    dense, convolution, masked_recurrence, several_outputs, authored, keras_step, pure_step,
    attention, frozen, penalized, bidirectional, repeated,
]  # fmt: skip
