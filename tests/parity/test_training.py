"""Training compared with Keras: the same weights, data and curves."""

import jax
import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

SPARSE = "sparse_categorical_crossentropy"


def copy_of(theirs, layers):
    """Return our model of these layers, with the weights of Keras's model."""
    ours = fjax.Sequential(layers)
    ours.set_weights(theirs.get_weights())
    return ours


def mlp(library, *units, inputs, last="softmax", normalized=False):
    """Return the layers of a small network of one library."""
    layers = [library.Input(shape=inputs), library.layers.Flatten()]
    for size in units[:-1]:
        layers.append(library.layers.Dense(size, activation="relu"))
        if normalized:
            layers.append(library.layers.BatchNormalization(momentum=0.9))
    return [*layers, library.layers.Dense(units[-1], activation=last)]


def same_history(ours, theirs, rtol=1e-4):
    assert list(ours.history) == list(theirs.history)
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=rtol, atol=1e-6, err_msg=name)


@pytest.fixture(scope="module")
def fashion():
    try:
        (x, y), _ = fjax.datasets.fashion_mnist.load_data()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return (x / 255).astype("float32"), y


@pytest.fixture(scope="module")
def digits():
    (x, y), _ = fjax.datasets.digits.load_data()
    return (x[:500] / 16).astype("float32"), y[:500]


@pytest.mark.parametrize("rows", [6_000, pytest.param(60_000, marks=pytest.mark.slow)])
def test_a_tutorial_on_fashion_mnist(fashion, rows):
    x, y = fashion
    cut = rows - rows // 12
    sizes = (300, 100, 10)
    theirs = keras.Sequential(mlp(keras, *sizes, inputs=(28, 28)))
    ours = copy_of(theirs, mlp(fjax, *sizes, inputs=(28, 28)))
    histories = []
    for library, model in ((fjax, ours), (keras, theirs)):
        model.compile(
            loss=SPARSE,
            optimizer=library.optimizers.SGD(learning_rate=0.01),
            metrics=["accuracy"],
        )
        histories.append(
            model.fit(x[:cut], y[:cut], epochs=3, shuffle=False, verbose=0,
                      validation_data=(x[cut:rows], y[cut:rows]))
        )  # fmt: skip
    curves = [[value for name in sorted(h.history) for value in h.history[name]] for h in histories]
    print("largest difference of the curves:", np.abs(np.subtract(*curves)).max())
    same_history(*histories)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


OPTIMIZERS = {
    "nesterov": ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", {"learning_rate": 1e-3, "momentum": 0.5}),
    "adam": ("Adam", {"learning_rate": 1e-3, "clipnorm": 1.0}),
    "adamw": ("AdamW", {"learning_rate": 1e-3}),
}


@pytest.mark.sampled(3, name="^")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_with_batch_normalization_and_a_short_last_batch(digits, name):
    x, y = digits
    kind, arguments = OPTIMIZERS[name]
    theirs = keras.Sequential(mlp(keras, 20, 10, inputs=(8, 8), normalized=True))
    ours = copy_of(theirs, mlp(fjax, 20, 10, inputs=(8, 8), normalized=True))
    histories = []
    for library, model in ((fjax, ours), (keras, theirs)):
        model.compile(getattr(library.optimizers, kind)(**arguments), SPARSE, metrics=["acc"])
        histories.append(model.fit(x, y, epochs=3, shuffle=False, verbose=0, validation_split=0.1))
    same_history(*histories, rtol=2e-4)
    np.testing.assert_allclose(
        ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-2, atol=1e-3
    )


def test_weights_of_samples_and_classes(digits):
    x, y = digits
    weights = np.random.default_rng(0).uniform(0, 2, len(x)).astype("float32")
    for arguments in ({"class_weight": {0: 3.0, 4: 0.5}}, {"sample_weight": weights}):
        theirs = keras.Sequential(mlp(keras, 10, inputs=(8, 8)))
        ours = copy_of(theirs, mlp(fjax, 10, inputs=(8, 8)))
        histories = []
        for model in (ours, theirs):
            model.compile("sgd", SPARSE, metrics=["accuracy"], weighted_metrics=["accuracy"])
            histories.append(
                model.fit(x, y, epochs=2, shuffle=False, verbose=0, batch_size=64, **arguments)
            )
        same_history(*histories)


def test_metrics_of_many_kinds(digits):
    x, y = digits
    binary = (y > 4).astype("float32")
    theirs = keras.Sequential(mlp(keras, 1, inputs=(8, 8), last="sigmoid"))
    ours = copy_of(theirs, mlp(fjax, 1, inputs=(8, 8), last="sigmoid"))
    results = []
    for library, model in ((fjax, ours), (keras, theirs)):
        named = library.metrics
        model.compile(
            "sgd",
            "binary_crossentropy",
            metrics=["accuracy", "mae", named.AUC(name="auc"), named.Precision(name="precision"),
                     named.Recall(name="recall"), named.RootMeanSquaredError(name="rmse")],
        )  # fmt: skip
        model.fit(x, binary, epochs=1, shuffle=False, verbose=0)
        results.append(model.evaluate(x, binary, verbose=0, return_dict=True))
        flat = model.evaluate(x, binary, verbose=0)
        assert flat == [results[-1][key] for key in ("loss", "accuracy", "mae", "auc", "precision",
                                                     "recall", "rmse")]  # fmt: skip
    assert set(results[0]) == set(results[1])
    for name, value in results[1].items():
        np.testing.assert_allclose(results[0][name], value, rtol=1e-4, err_msg=name)


def test_one_hot_targets_and_label_smoothing(digits):
    x, y = digits
    one_hot = fjax.utils.to_categorical(y, 10)
    np.testing.assert_array_equal(one_hot, keras.utils.to_categorical(y, 10))
    theirs = keras.Sequential(mlp(keras, 10, inputs=(8, 8), last=None))
    ours = copy_of(theirs, mlp(fjax, 10, inputs=(8, 8), last=None))
    histories = []
    for library, model in ((fjax, ours), (keras, theirs)):
        loss = library.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
        model.compile("adam", loss, metrics=["accuracy", library.metrics.F1Score(average="macro")])
        histories.append(model.fit(x, one_hot, epochs=2, shuffle=False, verbose=0))
    same_history(*histories)


@pytest.mark.parametrize("batch_size", [None, 32])
def test_steps_and_schedules(digits, batch_size):
    x, y = digits
    theirs = keras.Sequential(mlp(keras, 10, inputs=(8, 8)))
    ours = copy_of(theirs, mlp(fjax, 10, inputs=(8, 8)))
    histories = []
    for library, model in ((fjax, ours), (keras, theirs)):
        schedule = library.optimizers.schedules.CosineDecay(0.1, 30)
        model.compile(library.optimizers.SGD(schedule), SPARSE)
        histories.append(
            model.fit(x, y, epochs=2, steps_per_epoch=4, validation_data=(x, y),
                      validation_steps=3, shuffle=False, verbose=0, batch_size=batch_size)
        )  # fmt: skip
    same_history(*histories)


def test_normalize():
    x = np.random.default_rng(0).normal(size=(4, 5))
    np.testing.assert_allclose(fjax.utils.normalize(x), keras.utils.normalize(x), rtol=1e-6)
    np.testing.assert_allclose(
        fjax.utils.normalize(x, order=1), keras.utils.normalize(x, order=1), rtol=1e-6
    )


def test_the_summary_has_the_names_shapes_and_counts_of_keras():
    lines = {}
    for library in (fjax, keras):
        model = library.Sequential(mlp(library, 30, 10, inputs=(28, 28), normalized=True))
        texts = []
        model.summary(print_fn=texts.append)
        lines[library] = [
            line.replace("│", " ").split()
            for line in "\n".join(texts).splitlines()
            if "(None" in line
        ]
        lines[library] += [
            line.split() for line in "\n".join(texts).splitlines() if "arams:" in line
        ]
    shapes = [
        [word for word in line if word[0].isdigit() or word[0] == "("] for line in lines[fjax]
    ]
    theirs = [
        [word for word in line if word[0].isdigit() or word[0] == "("] for line in lines[keras]
    ]
    assert [line[-1] for line in shapes] == [line[-1] for line in theirs]
    assert len(shapes) == len(theirs)
    jax.clear_caches()
