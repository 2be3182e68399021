"""A battery of Keras's models: nested, shared, with several outputs, compiled and trained."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

# The default of recurrent layers, an orthogonal matrix, takes long to compile.
FAST = {"recurrent_initializer": "glorot_uniform"}


class Sample(NamedTuple):
    """A model of Keras, and inputs and targets for it."""

    model: Any
    x: Any
    y: Any = None


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def whole(below, *shape, seed=0):
    return np.random.default_rng(seed).integers(below, size=shape).astype("int32")


def sequential(*members, shape=(4,), name=None):
    return keras.Sequential([keras.Input(shape), *members], name=name)


def dense_classifier():
    model = sequential(
        layers.Dense(6, "relu", kernel_regularizer="l2", kernel_constraint="max_norm"),
        layers.BatchNormalization(),
        layers.Dense(3, "softmax", name="head"),
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Sample(model, numbers(12, 4), whole(3, 12))


def convolution():
    model = sequential(
        layers.Rescaling(0.5), layers.Conv2D(4, 3, padding="same", activation="gelu"),
        layers.MaxPooling2D(), layers.DepthwiseConv2D(2), layers.SeparableConv2D(3, 2),
        layers.GroupNormalization(1), layers.Conv2DTranspose(2, 2), layers.GlobalAveragePooling2D(),
        layers.Dense(1), shape=(6, 6, 2),
    )  # fmt: skip
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse", metrics=["mae"])
    return Sample(model, numbers(8, 6, 6, 2), numbers(8, 1))


def recurrent():
    model = sequential(
        layers.Embedding(9, 3, mask_zero=True),
        layers.Bidirectional(layers.LSTM(2, return_sequences=True, **FAST)),
        layers.GRU(3, return_sequences=True, **FAST), layers.SimpleRNN(2, **FAST), layers.Dense(1),
        shape=(5,),
    )  # fmt: skip
    model.compile("rmsprop", "mse")
    return Sample(model, whole(9, 8, 5), numbers(8, 1))


def stacked_cells():
    cells = [layers.LSTMCell(2, **FAST), layers.GRUCell(3, reset_after=False, **FAST)]
    return Sample(
        sequential(layers.RNN(cells, return_sequences=True),
                   layers.TimeDistributed(layers.Dense(2, "tanh")), shape=(4, 3)),
        numbers(2, 4, 3),
    )  # fmt: skip


def attention():
    query, value = keras.Input((3, 4)), keras.Input((5, 4))
    x = layers.MultiHeadAttention(2, 3, use_gate=True)(query, value)
    x = layers.LayerNormalization()(layers.Add()([x, query]))
    x = layers.GroupQueryAttention(2, 4, 2)(x, value)
    x = layers.Attention(use_scale=True)([x, value])
    outputs = layers.AdditiveAttention()([x, query])
    return Sample(keras.Model([query, value], outputs), [numbers(2, 3, 4), numbers(2, 5, 4)])


def nested():
    inner = sequential(layers.Dense(3, "relu"), layers.Dense(4), name="inner")
    middle_input = keras.Input((4,), name="middle_input")
    halves = [layers.Dense(2)(middle_input), layers.Dense(2, name="right")(middle_input)]
    middle = keras.Model(middle_input, halves, name="middle")
    inputs = keras.Input((4,))
    one, other = middle(inner(inner(inputs)))
    model = keras.Model(inputs, layers.Dense(1)(layers.Concatenate()([one, other])))
    model.compile("sgd", "mse")
    return Sample(model, numbers(8, 4), numbers(8, 1))


def nested_in_sequential():
    inner_input = keras.Input((4,))
    inner = keras.Model(inner_input, layers.Dense(3, "tanh")(inner_input))
    return Sample(
        sequential(inner, sequential(layers.Dense(3), shape=(3,)), layers.Dense(1)), numbers(3, 4)
    )


def shared():
    one, other = keras.Input((4,), name="one"), keras.Input((4,), name="other")
    tower = layers.Dense(3, "relu", name="tower")
    merged = layers.Dot(1, normalize=True)([tower(one), tower(other)])
    model = keras.Model([one, other], merged)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return Sample(model, [numbers(8, 4), numbers(8, 4, seed=1)], numbers(8, 1))


def several_outputs():
    inputs = keras.Input((4,), name="features")
    hidden = layers.Dense(5, "relu")(inputs)
    outputs = {"size": layers.Dense(1, name="size")(hidden),
               "kind": layers.Dense(3, "softmax", name="kind")(hidden)}  # fmt: skip
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.02, clipnorm=1.0),
        {"size": keras.losses.LogCosh(), "kind": "sparse_categorical_crossentropy"},
        loss_weights={"size": 2.0, "kind": 0.5},
        metrics={"size": [keras.metrics.RootMeanSquaredError()], "kind": ["accuracy"]},
    )
    return Sample(model, numbers(8, 4), {"size": numbers(8, 1), "kind": whole(3, 8)})


def list_of_outputs():
    inputs = keras.Input((4,))
    model = keras.Model(
        inputs, [layers.Dense(1, name="a")(inputs), layers.Dense(2, name="b")(inputs)]
    )
    model.compile("adamax", ["mse", "mae"], metrics=[["mae"], ["mse"]])
    return Sample(model, numbers(8, 4), [numbers(8, 1), numbers(8, 2)])


def dict_of_inputs():
    inputs = {"b": keras.Input((2,), name="b"), "a": keras.Input((3,), name="a")}
    merged = layers.Concatenate()([layers.Dense(2)(inputs["a"]), inputs["b"]])
    return Sample(
        keras.Model(inputs, layers.Dense(2)(merged)), {"a": numbers(3, 3), "b": numbers(3, 2)}
    )


def operations():
    inputs = keras.Input((4, 6))
    x = ops.mean(inputs[:, :3, ...], axis=1) * 2.0 + 1.0
    x = ops.concatenate([1.0 - x, ops.relu(x) / 2.0], axis=-1)
    x = ops.reshape(x, (-1, 3, 4))
    x = ops.max(ops.transpose(x, (0, 2, 1)), axis=-1, keepdims=True)
    return Sample(keras.Model(inputs, layers.Flatten()(ops.exp(-x))), numbers(3, 4, 6))


def initial_states():
    inputs = keras.Input((4, 3))
    encoded, hidden, cell = layers.LSTM(2, return_state=True, return_sequences=True, **FAST)(inputs)
    decoded = layers.LSTM(2, return_sequences=True, **FAST)(encoded, initial_state=[hidden, cell])
    return Sample(keras.Model(inputs, [decoded, hidden]), numbers(2, 4, 3))


def spectral():
    model = sequential(
        layers.SpectralNormalization(layers.Dense(3, "relu")),
        layers.SpectralNormalization(layers.Dense(2, use_bias=False), power_iterations=2),
        layers.UnitNormalization(),
    )
    model.compile("sgd", "mse")
    return Sample(model, numbers(8, 4), numbers(8, 2))


def adapted():
    normalization = layers.Normalization()
    normalization.adapt(3.0 + 2.0 * numbers(20, 4))
    return Sample(sequential(normalization, layers.Dense(2)), numbers(5, 4))


def given_statistics():
    model = sequential(
        layers.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 2.0]),
        layers.Dense(2),
    )
    return Sample(model, numbers(5, 4))


def frozen():
    model = sequential(
        layers.Dense(3, "relu", trainable=False), layers.BatchNormalization(), layers.Dense(1)
    )
    model.compile("adam", "mse")
    return Sample(model, numbers(8, 4), numbers(8, 1))


def frozen_model():
    base = sequential(layers.Dense(3), layers.BatchNormalization(), name="base")
    base.trainable = False
    model = sequential(base, layers.Dense(1))
    model.compile("adam", "mse")
    return Sample(model, numbers(8, 4), numbers(8, 1))


def residual_network():
    inputs = x = keras.Input((6, 6, 3))
    for filters in (3, 4):
        shortcut = layers.Conv2D(filters, 1, strides=2)(x)
        x = layers.BatchNormalization()(layers.Conv2D(filters, 3, strides=2, padding="same")(x))
        x = layers.ReLU(max_value=6.0)(layers.Add()([x, shortcut]))
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True), "huber")
    return Sample(model, numbers(8, 6, 6, 3), numbers(8, 2))


def uncompiled_and_unbuilt_input():
    model = keras.Sequential([layers.Dense(3, "relu"), layers.Dense(2)])
    model.build((None, 4))
    return Sample(model, numbers(3, 4))


def many_equal_layers():
    return Sample(sequential(*(layers.Dense(3, "tanh") for _ in range(13))), numbers(3, 4))


def activations_and_noise():
    model = sequential(
        layers.Dense(6),
        layers.PReLU(),
        layers.LeakyReLU(0.2),
        layers.GaussianNoise(0.1),
        layers.ELU(),
        layers.Dropout(0.5),
        layers.Activation("swish"),
        layers.Softmax(),
        layers.RepeatVector(3),
        layers.Permute((2, 1)),
        layers.Reshape((-1,)),
        layers.AlphaDropout(0.1),
    )
    return Sample(model, numbers(3, 4))


def convolutional_lstm():
    layer = layers.ConvLSTM2D(2, 2, return_sequences=True, **FAST)
    return Sample(
        sequential(layer, layers.ConvLSTM2D(1, 1, **FAST), shape=(3, 4, 4, 1)),
        numbers(2, 3, 4, 4, 1),
    )


def configured_initializers():
    model = sequential(
        layers.Dense(3, kernel_initializer=keras.initializers.HeNormal(seed=1),
                     bias_initializer=keras.initializers.Constant(0.5),
                     kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2),
                     bias_constraint=keras.constraints.MinMaxNorm(0.1, 2.0)),
        layers.Dense(2, kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out")),
    )  # fmt: skip
    model.compile(
        "adam", keras.losses.Huber(), metrics=[keras.metrics.MeanAbsoluteError(name="distance")]
    )
    return Sample(model, numbers(8, 4), numbers(8, 2))


def weighted_metrics():
    model = sequential(layers.Dense(1, "sigmoid"))
    model.compile(
        "adam",
        "binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC(num_thresholds=20)],
        weighted_metrics=["accuracy"],
    )
    return Sample(model, numbers(8, 4), whole(2, 8, 1))


def pooling_and_padding():
    model = sequential(
        layers.ZeroPadding1D(1),
        layers.Cropping1D((0, 1)),
        layers.UpSampling1D(2),
        layers.AveragePooling1D(2),
        layers.Conv1D(3, 2, dilation_rate=2, groups=1),
        layers.Conv1DTranspose(2, 2),
        layers.MaxPooling1D(2),
        layers.Flatten(),
        shape=(8, 3),
    )
    return Sample(model, numbers(2, 8, 3))


def einsum_and_scaling():
    model = sequential(
        layers.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d"),
        layers.LayerNormalization(),
        layers.RMSNormalization(),
        layers.Masking(),
        layers.GlobalAveragePooling1D(),
        shape=(3, 4),
    )
    return Sample(model, numbers(2, 3, 4))


SAMPLES = {
    function.__name__: function
    for function in (
        dense_classifier, convolution, recurrent, stacked_cells, attention, nested,
        nested_in_sequential, shared, several_outputs, list_of_outputs, dict_of_inputs,
        operations, initial_states, spectral, adapted, given_statistics, frozen, frozen_model,
        residual_network, uncompiled_and_unbuilt_input, many_equal_layers, activations_and_noise,
        convolutional_lstm, configured_initializers, weighted_metrics, pooling_and_padding,
        einsum_and_scaling,
    )
}  # fmt: skip

schedules = keras.optimizers.schedules
OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: keras.optimizers.Adagrad(0.1),
    "adadelta": lambda: keras.optimizers.Adadelta(0.5),
    "adamax": lambda: keras.optimizers.Adamax(0.01),
    "nadam": lambda: keras.optimizers.Nadam(0.01),
    "ftrl": lambda: keras.optimizers.Ftrl(0.1),
    "lion": lambda: keras.optimizers.Lion(0.01),
    "lamb": lambda: keras.optimizers.Lamb(0.01),
    "scheduled": lambda: keras.optimizers.Adam(schedules.ExponentialDecay(0.1, 2, 0.5)),
    "averaged": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8),
    "accumulating": lambda: keras.optimizers.Adam(0.1, gradient_accumulation_steps=2),
    "clipped": lambda: keras.optimizers.SGD(0.1, global_clipnorm=0.1),
}


def trained_with(optimizer):
    """Return a small model that is compiled with an optimizer."""
    model = sequential(layers.Dense(3, "tanh"), layers.Dense(1))
    model.compile(OPTIMIZERS[optimizer](), "mse")
    return Sample(model, numbers(12, 4), numbers(12, 1))
