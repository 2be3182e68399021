"""Transfer learning: layers of a trained network in a new one, first frozen, then trained."""

import re

import jax
import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

# Sandals and shirts; the first network learns the other eight classes.
SANDAL, SHIRT = 5, 6


@pytest.fixture(scope="module")
def classes(fashion):
    """Return both tasks: eight classes in `a`, and sandals and shirts in `b`."""
    x, y = fashion
    of_b = np.isin(y, [SANDAL, SHIRT])
    y_a = y[~of_b] - 2 * (y[~of_b] > SHIRT)
    y_b = (y[of_b] == SHIRT).astype("float32")[:, None]
    x_a, x_b = x[~of_b][:256, ::2, ::2], x[of_b][:128, ::2, ::2]
    return {"a": (x_a, y_a[:256]), "b": (x_b, y_b[:128])}


def first_network(keras):
    return keras.Sequential(
        [
            keras.Input((14, 14)),
            keras.layers.Flatten(),
            keras.layers.Dense(24, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dense(12, activation="relu", name="last_hidden"),
            keras.layers.Dense(8, activation="softmax"),
        ]
    )


def in_a_row(keras, first):
    """A new model of the list of layers without the last one."""
    second = keras.Sequential(first.layers[:-1])
    second.add(keras.layers.Dense(1, activation="sigmoid", name="new"))
    return second


def from_a_tensor(keras, first):
    """A graph that continues at the last hidden layer of the first network."""
    hidden = first.get_layer("last_hidden").output
    return keras.Model(
        first.inputs, keras.layers.Dense(1, activation="sigmoid", name="new")(hidden)
    )


def on_a_base(keras, first):
    """The first network is a layer that always runs in inference mode."""

    class OnABase(keras.Model):
        def __init__(self):
            super().__init__()
            self.base = keras.Model(first.inputs, first.layers[-2].output, name="base")
            self.new = keras.layers.Dense(1, activation="sigmoid", name="new")

        def call(self, inputs):
            return self.new(self.base(inputs, training=False))

    return OnABase()


def counts(model):
    """Return the summary's numbers of trainable and other parameters."""
    lines = []
    model.summary(print_fn=lines.append)
    return re.findall(r"arams: ([\d,]+)", "\n".join(lines))


def slots(library, model):
    """Return the shapes of the optimizer's slots."""
    if library is keras:
        kept = [variable.shape for variable in model.optimizer.variables]
    else:
        kept = [leaf.shape for leaf in jax.tree.leaves(model.train_state.opt_state)]
    return sorted(tuple(shape) for shape in kept if len(shape) > 0)


def compile_first(keras, model):
    model.compile(
        keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )


def compile_second(keras, model, rate):
    optimizer = keras.optimizers.SGD(rate, momentum=0.9)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])


def transferred(judge, library, first, second, classes):
    """Train the first, then the second with a frozen base, then all; return what is compared."""
    shown = []
    compile_first(library, first)
    shown.append(judge.run(first, *classes["a"], epochs=1))
    base = [layer for layer in second.layers if layer.name != "new"]
    # Both networks share layers.
    before = [weight for layer in base for weight in layer.get_weights()]
    for one, other in zip(before, first.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(one, other)
    for layer in base:
        layer.trainable = False
    frozen = counts(second)
    compile_second(library, second, 0.1)
    shown.append(judge.run(second, *classes["b"]))
    kept = slots(library, second)
    after = [weight for layer in base for weight in layer.get_weights()]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    for layer in base:
        layer.trainable = True
    compile_second(library, second, 0.02)
    shown.append(judge.run(second, *classes["b"]))
    assert np.abs(second.get_weights()[0] - before[0]).max() > 0
    kept += slots(library, second)
    # The second training changed the first network too.
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])
    return shown, frozen, counts(second) if library is fjax else None, kept


@pytest.mark.parametrize(
    "build", [in_a_row, pytest.param(from_a_tensor, marks=pytest.mark.slow), on_a_base]
)
def test_frozen_then_all(judge, classes, build):
    firsts = judge.build_both(first_network)
    seconds = [build(*each) for each in zip((fjax, keras), firsts, strict=True)]
    for second in seconds:
        second.predict(classes["b"][0][:32], verbose=0)
    new = [np.full((12, 1), 0.1, "float32"), np.zeros(1, "float32")]
    for second in seconds:
        second.get_layer("new").set_weights(new)
    results = [
        transferred(judge, *each, classes)
        for each in zip((fjax, keras), firsts, seconds, strict=True)
    ]
    ours, theirs = results
    for one, other in zip(ours[0], theirs[0], strict=True):
        judge.same_runs(one, other)
    assert ours[1] == theirs[1]
    assert ours[3] == theirs[3]
    total, trainable, _, kept = (int(count.replace(",", "")) for count in ours[2])
    before, trainable_before = (int(count.replace(",", "")) for count in ours[1][:2])
    # After training, the total includes the optimizer's variables.
    assert total - kept == before and trainable > trainable_before


def test_averages_of_a_frozen_normalization_stay(judge, classes):
    """`trainable = False` before `compile` means inference mode, even in `fit`."""
    ours, theirs = judge.build_both(first_network)
    x, y = classes["a"]
    for library, model in ((fjax, ours), (keras, theirs)):
        model.layers[2].trainable = False
        before = model.layers[2].get_weights()
        compile_first(library, model)
        model.fit(x, y, shuffle=False, verbose=0)
        for one, other in zip(before, model.layers[2].get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    judge.same_outputs(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), 1e-3, 1e-4)


def test_a_graph_keeps_the_training_mode_of_a_call(judge, classes):
    """As Keras's guide says, although in its graphs `fit` overrides `training=False`."""
    first = first_network(fjax)
    base = fjax.Model(first.inputs, first.layers[-2].output)
    inputs = fjax.Input((14, 14))
    in_a_graph = fjax.Model(inputs, fjax.layers.Dense(1, "sigmoid")(base(inputs, training=False)))
    gamma, beta, mean, variance = first.layers[2].get_weights()
    compile_second(fjax, in_a_graph, 0.1)
    in_a_graph.fit(*classes["b"], verbose=0)
    after = first.layers[2].get_weights()
    for one, other in zip((mean, variance), after[2:], strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.abs(after[0] - gamma).max() > 0 and np.abs(after[1] - beta).max() > 0
