"""Wide and deep networks, as graphs and as a class."""

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)


@pytest.fixture(scope="module")
def parts(california):
    """Return the features of the wide and of the deep part, and the targets."""
    x, y = california
    return {"wide": x[:, :5], "deep": x[:, 2:]}, y


def wide_and_deep(keras):
    inputs = keras.layers.Input(shape=[8])
    hidden1 = keras.layers.Dense(30, activation="relu")(inputs)
    hidden2 = keras.layers.Dense(30, activation="relu")(hidden1)
    concat = keras.layers.concatenate([inputs, hidden2])
    output = keras.layers.Dense(1)(concat)
    return keras.models.Model(inputs=[inputs], outputs=[output])


def two_inputs(keras):
    input_wide = keras.layers.Input(shape=[5], name="wide_input")
    input_deep = keras.layers.Input(shape=[6], name="deep_input")
    hidden1 = keras.layers.Dense(30, activation="relu")(input_deep)
    hidden2 = keras.layers.Dense(30, activation="relu")(hidden1)
    concat = keras.layers.Concatenate()([input_wide, hidden2])
    output = keras.layers.Dense(1, name="output")(concat)
    return keras.Model(inputs=[input_wide, input_deep], outputs=output)


def two_outputs(keras, named=True):
    names = [{"name": "main_output"}, {"name": "aux_output"}] if named else [{}, {}]
    input_wide = keras.Input(shape=[5], name="wide_input")
    input_deep = keras.Input(shape=[6], name="deep_input")
    hidden1 = keras.layers.Dense(30, activation="relu")(input_deep)
    hidden2 = keras.layers.Dense(30, activation="relu")(hidden1)
    concat = keras.layers.concatenate([input_wide, hidden2])
    output = keras.layers.Dense(1, **names[0])(concat)
    aux_output = keras.layers.Dense(1, **names[1])(hidden2)
    return keras.Model(inputs=[input_wide, input_deep], outputs=[output, aux_output])


def unnamed_outputs(keras):
    return two_outputs(keras, named=False)


def class_of(keras):
    class WideAndDeepModel(keras.Model):
        def __init__(self, units=30, activation="relu", **kwargs):
            super().__init__(**kwargs)
            self.hidden1 = keras.layers.Dense(units, activation=activation)
            self.hidden2 = keras.layers.Dense(units, activation=activation)
            self.main_output = keras.layers.Dense(1)
            self.aux_output = keras.layers.Dense(1)

        def call(self, inputs):
            input_wide, input_deep = inputs
            hidden1 = self.hidden1(input_deep)
            hidden2 = self.hidden2(hidden1)
            concat = keras.layers.concatenate([input_wide, hidden2])
            return self.main_output(concat), self.aux_output(hidden2)

    return WideAndDeepModel


def sgd(keras, model):
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=1e-2), metrics=["mae"])


def by_list(keras, model):
    model.compile(
        loss=["mse", "mae"],
        loss_weights=[0.9, 0.1],
        optimizer=keras.optimizers.SGD(learning_rate=1e-2, momentum=0.9),
        metrics=[["mae"], ["mae", "mse"]],
    )


def by_name(keras, model):
    model.compile(
        loss={"main_output": "mse", "aux_output": keras.losses.Huber()},
        loss_weights={"main_output": 0.9, "aux_output": 0.1},
        optimizer=keras.optimizers.SGD(learning_rate=1e-2),
        metrics={"main_output": keras.metrics.RootMeanSquaredError(), "aux_output": ["mae"]},
    )


def one_loss(keras, model):
    model.compile("adam", "mse", metrics=["mae", "mae"])


def test_one_input(judge, california):
    ours, theirs = judge.compare(wide_and_deep, sgd, *california)
    assert [layer.name for layer in ours.layers][1:] == [layer.name for layer in theirs.layers][1:]


def test_two_inputs(judge, parts):
    x, y = parts
    ours, theirs = judge.compare(two_inputs, sgd, [x["wide"], x["deep"]], y)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    named = {"wide_input": x["wide"], "deep_input": x["deep"]}
    judge.same_outputs(*(model.predict(named, verbose=0) for model in (ours, theirs)), 1e-4)


@pytest.mark.parametrize(
    "compiled", [by_list, by_name, pytest.param(one_loss, marks=pytest.mark.slow)]
)
def test_two_named_outputs(judge, parts, compiled):
    x, y = parts
    targets = [y, np.log(y)]
    models = judge.compare(two_outputs, compiled, [x["wide"], x["deep"]], targets)
    assert models[0].output_names == models[1].output_names


@pytest.mark.parametrize("compiled", [pytest.param(by_list, marks=pytest.mark.slow), one_loss])
def test_two_outputs_with_default_names(judge, parts, compiled):
    x, y = parts
    judge.compare(unnamed_outputs, compiled, [x["wide"], x["deep"]], [y, np.log(y)])


@pytest.mark.slow
def test_targets_by_name(judge, parts):
    x, y = parts
    targets = {"main_output": y, "aux_output": np.log(y)}
    named = {"wide_input": x["wide"], "deep_input": x["deep"]}
    judge.compare(two_outputs, by_name, named, targets)


def test_a_class(judge, parts):
    x, y = parts
    x, targets = (x["wide"], x["deep"]), (y, np.log(y))
    models, runs = [], []
    for library in (fjax, keras):
        model = class_of(library)(20, activation="tanh", name="mine")
        assert model.name == "mine"
        model.predict((x[0][:64], x[1][:64]), verbose=0)
        models.append(model)
    judge.same_weights(*models)
    for library, model in zip((fjax, keras), models, strict=True):
        model.compile(
            loss=["mse", "mae"],
            loss_weights=[0.9, 0.1],
            optimizer=library.optimizers.SGD(learning_rate=1e-2),
            metrics=[["mae"], ["mse"]],
        )
        runs.append(judge.run(model, x, targets))
    judge.same_runs(*runs)
