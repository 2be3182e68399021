"""The names and the order of logs, and their values, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
NUMBER, PAIR = X[:, :1], X[:, :2]
STRUCTURES = {
    "one": lambda number, pair: number,
    "list": lambda number, pair: [number, pair],
    "tuple": lambda number, pair: (number, pair),
    "dict": lambda number, pair: {"q": pair, "p": number},
    "nested": lambda number, pair: {"p": number, "q": [pair, number]},
}


def closeness(y_true, y_pred):
    return keras.ops.mean(abs(y_true - y_pred), axis=-1)


def functional(library, structure):
    inputs = library.Input((3,))
    number, pair = (library.layers.Dense(n, name=name)(inputs) for n, name in ((1, "a"), (2, "b")))
    return library.Model(inputs, STRUCTURES[structure](number, pair))


def subclassed(library, structure, base="Model"):
    class Two(getattr(library, base)):
        def __init__(self):
            super().__init__()
            self.number, self.pair = library.layers.Dense(1), library.layers.Dense(2)

        def build(self, input_shape):
            self.number.build(input_shape)
            self.pair.build(input_shape)

        def call(self, inputs):
            return STRUCTURES[structure](self.number(inputs), self.pair(inputs))

        def compute_output_shape(self, input_shape):
            return STRUCTURES[structure]((input_shape[0], 1), (input_shape[0], 2))

    return Two()


def sequential(library, structure):
    return library.Sequential([subclassed(library, structure, "Layer")])


def mine(library):
    return library.metrics.MeanAbsoluteError(name="mine")


# Each entry: how the model is written, the structure of its outputs, the arguments of `compile`.
CASES = {
    "sequential, one output": (sequential, "one", lambda k: {"metrics": ["mae", "mse"]}),
    "functional, objects": (functional, "one", lambda k: {"metrics": [mine(k), closeness, "MAE"]}),
    "functional, list": (
        functional, "list",
        lambda k: {"metrics": [["mae"], ["mae", "mae"]], "weighted_metrics": [None, ["mae"]]},
    ),
    "functional, dict": (functional, "dict", lambda k: {"metrics": {"q": "mae", "p": mine(k)}}),
    "subclassed, dict": (subclassed, "dict", lambda k: {"metrics": {"q": "mae", "p": mine(k)}}),
    "subclassed, one output": (subclassed, "one", lambda k: {"weighted_metrics": [mine(k)]}),
    "subclassed, list": (
        subclassed, "list",
        lambda k: {"loss": ["mse", k.losses.Huber()], "metrics": ["mse", ["mae", mine(k)]]},
    ),
    "subclassed, one with a loss": (
        subclassed, "list", lambda k: {"loss": ["mse", None], "metrics": ["mae", "mse"]}
    ),
    "subclassed, tuple": (
        subclassed, "tuple",
        lambda k: {
            "loss": ["mse", closeness], "loss_weights": [0.5, 2.0],
            "weighted_metrics": ["mse", "mae"],
        },
    ),
    "subclassed, nested": (
        subclassed, "nested",
        lambda k: {"loss": {"p": "mse", "q": ["mae", "Huber"]},
                   "metrics": {"p": "mae", "q": ["mse", mine(k)]}},
    ),
    "sequential, tuple": (
        sequential, "tuple", lambda k: {"loss": ["mse", "mae"], "metrics": [["mae"], ["mse"]]}
    ),
}  # fmt: skip
# Keras's lists of `evaluate` repeat the value of the first of two metrics with one name.
DUPLICATES = {
    "functional": (
        functional, "one",
        lambda k: {"metrics": ["mae", "mae", mine(k)], "weighted_metrics": ["mae", "mse", "mae"]},
    ),
    "subclassed": (
        subclassed, "list",
        lambda k: {
            "loss": ["mse", "mae"], "metrics": [["mae"], ["mae", mine(k)]],
            "weighted_metrics": [[mine(k)], ["mae", "mse"]],
        },
    ),
}  # fmt: skip


def logs(make, structure, arguments):
    """Return the logs of both libraries: the history, and `evaluate` as a dict and as a list."""
    results, weights = [], None
    for library in (keras, fjax):
        model = make(library, structure)
        model.predict(X, verbose=0)
        weights = weights or model.get_weights()
        model.set_weights(weights)
        model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments(library)}, run_eagerly=True)
        y = STRUCTURES[structure](NUMBER, PAIR)
        history = model.fit(X, y, verbose=0).history
        named = model.evaluate(X, y, verbose=0, return_dict=True)
        results.append((history, named, model.evaluate(X, y, verbose=0)))
    theirs, ours = results
    for their_logs, our_logs in zip(theirs[:2], ours[:2], strict=True):
        assert [*our_logs] == [*their_logs]
        for name, value in our_logs.items():
            np.testing.assert_allclose(value, their_logs[name], rtol=2e-6, err_msg=name)
    return theirs[2], ours[2]


@pytest.mark.parametrize("case", CASES)
def test_names_and_order_of_logs_agree_with_keras(case):
    theirs, ours = logs(*CASES[case])
    np.testing.assert_allclose(ours, theirs, rtol=2e-6)


@pytest.mark.parametrize("case", DUPLICATES)
def test_names_of_equal_metrics_agree_with_keras(case):
    theirs, ours = logs(*DUPLICATES[case])
    # A loss and a metric of the same values may be rounded differently.
    assert len({f"{value:.5g}" for value in ours}) == len({f"{value:.5g}" for value in theirs})


def test_equal_losses_of_unnamed_outputs_have_the_positions_of_the_outputs():
    model = subclassed(fjax, "nested")
    model.compile("sgd", "mse", metrics={"p": "mae", "q": ["mae", "mae"]})
    history = model.fit(X, STRUCTURES["nested"](NUMBER, PAIR), verbose=0).history
    assert [*history] == [
        "loss", "mae", "mae_1", "mae_2", "p_loss", "q/output_1_loss", "q/output_2_loss"
    ]  # fmt: skip


def several_outputs_of_one_layer(library):
    inputs = library.Input((3,))
    shared, other = library.layers.Dense(1, name="a"), library.layers.Dense(2, name="b")
    first = shared(inputs)
    return library.Model(inputs, [first, other(inputs), first, shared(inputs * 2.0)])


def test_metrics_of_outputs_of_one_layer_have_the_names_of_keras():
    histories, y = [], [NUMBER, PAIR, NUMBER, NUMBER]
    for library in (fjax, keras):
        model = several_outputs_of_one_layer(library)
        model.set_weights([np.full_like(weight, 0.1) for weight in model.get_weights()])
        model.compile(
            "sgd", ["mse", "mae", None, None], metrics=[["mae"], ["mae"], ["mae"], ["mae"]]
        )
        histories.append(model.fit(X, y, verbose=0).history)
    ours, theirs = histories
    assert list(ours) == list(theirs)
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=2e-6, err_msg=name)


def test_equal_losses_of_outputs_of_one_layer_have_the_positions_of_the_outputs():
    # Keras logs them as one `a_loss`, with the value of the last one.
    model, y = several_outputs_of_one_layer(fjax), [NUMBER, PAIR, NUMBER, NUMBER]
    model.compile("sgd", "mse")
    history = model.fit(X, y, verbose=0).history
    assert [*history] == ["b_loss", "loss", "output_0_loss", "output_2_loss", "output_3_loss"]
    total = sum(history[name][0] for name in history if name != "loss")
    np.testing.assert_allclose(history["loss"][0], total, rtol=1e-6)


def two_losses(library, loss, file):
    """Return the names of the logs of a model of a list, before and after it is saved."""

    class Two(library.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.number, self.pair = library.layers.Dense(1), library.layers.Dense(2)

        def build(self, input_shape):
            self.number.build(input_shape)
            self.pair.build(input_shape)

        def call(self, inputs):
            return [self.number(inputs), self.pair(inputs)]

    model, names = Two(), []
    model.predict(X, verbose=0)
    model.compile("sgd", loss(library), metrics=[["mae"], ["mse"]])
    model.save(file)
    for each in (model, library.models.load_model(file, custom_objects={"Two": Two})):
        history = each.fit(X, [NUMBER, PAIR], verbose=0).history
        names.append([*history])
        names.append([*each.evaluate(X, [NUMBER, PAIR], verbose=0, return_dict=True)])
    return names[:2], names[2:]


@pytest.mark.parametrize(
    "loss",
    [
        lambda k: ["mse", "mae"],
        lambda k: ["mse", k.losses.MeanSquaredError()],
        lambda k: [k.losses.Huber(name="robust"), "Huber"],
        lambda k: [None, "mse"],
    ],
)
def test_log_names_survive_saving_and_loading(loss, tmp_path):
    theirs = two_losses(keras, loss, tmp_path / "theirs.keras")
    ours = two_losses(fjax, loss, tmp_path / "ours.fjax")
    assert ours[0] == theirs[0] and ours[1] == theirs[1] == theirs[0]
