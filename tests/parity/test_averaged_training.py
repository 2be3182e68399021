"""Training with averaged weights and accumulated gradients, compared with Keras."""

import jax
import keras
import numpy as np

import fjax


def network(library):
    """Return a frozen layer, a constrained one and a plain one."""
    return [
        library.Input(shape=(64,)),
        library.layers.Dense(16, activation="relu", trainable=False),
        library.layers.Dense(12, activation="tanh", kernel_constraint="max_norm"),
        library.layers.Dense(10, activation="softmax"),
    ]


def test_fit_ends_with_the_averages_of_keras():
    (x, y), _ = fjax.datasets.digits.load_data()
    x, y = (x[:200].reshape(200, 64) / 16).astype("float32"), y[:200]
    theirs = keras.Sequential(network(keras))
    ours = fjax.Sequential(network(fjax))
    ours.set_weights(theirs.get_weights())
    for library, model in ((fjax, ours), (keras, theirs)):
        optimizer = library.optimizers.AdamW(
            0.02, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=5,
            gradient_accumulation_steps=2, loss_scale_factor=16.0, clipnorm=0.5,
        )  # fmt: skip
        model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    # 150 rows are 10 batches, the last of them smaller.
    options = {"epochs": 2, "batch_size": 16, "shuffle": False, "verbose": 0}
    held_out = (x[150:], y[150:])
    histories = [
        model.fit(x[:150], y[:150], validation_data=held_out, **options) for model in (ours, theirs)
    ]
    for name, values in histories[1].history.items():
        np.testing.assert_allclose(histories[0].history[name], values, rtol=1e-4, err_msg=name)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
    assert ours.optimizer.iterations == int(theirs.optimizer.iterations) == 10
    averages = ours.train_state.opt_state.slots["average"]
    assert "dense" not in averages, "the frozen layer has no average"
    np.testing.assert_array_equal(averages["dense_2"]["bias"], ours.get_weights()[-1])
    # Weights and averages are separate arrays, so that a second `fit` works, unlike in Keras.
    ours.fit(x[:150], y[:150], **options)
    assert ours.optimizer.iterations == 20


def test_fit_after_the_averages_are_set_does_not_compile_again(caplog):
    x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
    model = fjax.Sequential([fjax.layers.Dense(1)])
    optimizer = fjax.optimizers.SGD(0.1, use_ema=True, gradient_accumulation_steps=2)
    model.compile(optimizer, loss="mse")
    with jax.log_compiles():
        model.fit(x, y, batch_size=4, verbose=0)
        first = [line for line in caplog.messages if "Compiling" in line and "advance" in line]
        model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    made = [line for line in caplog.messages if "Compiling" in line and "advance" in line]
    assert len(made) == len(first) == 1


def test_fit_with_0_epochs_leaves_the_weights():
    model = fjax.Sequential([fjax.layers.Dense(1)])
    model.compile(fjax.optimizers.SGD(0.1, use_ema=True), loss="mse")
    x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
    model.fit(x, y, verbose=0)
    weights = [weight + 1 for weight in model.get_weights()]
    model.set_weights(weights)
    model.fit(x, y, initial_epoch=1, epochs=1, verbose=0)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
