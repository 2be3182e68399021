"""Losses, weights and metrics of outputs in nested dicts and lists, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
NUMBER, PAIR = X[:, :1] * 2, X[:, :2] - 1
Y = {"dict": {"p": NUMBER, "q": {"r": PAIR, "s": NUMBER}}, "list": [NUMBER, [PAIR, NUMBER]]}


def model(library, structure):
    inputs = library.Input((3,), name="i")
    a, b, c = (
        library.layers.Dense(units, name=name)(inputs)
        for name, units in (("a", 1), ("b", 2), ("c", 1))
    )
    nested = {"dict": {"p": a, "q": {"r": b, "s": c}}, "list": [a, [b, c]]}[structure]
    made = library.Model(inputs, nested)
    random = np.random.default_rng(1)
    made.set_weights([random.normal(size=w.shape).astype("float32") for w in made.get_weights()])
    return made


def subclassed(library):
    class Subclassed(library.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = library.layers.Dense(1), library.layers.Dense(2)
            self.c = library.layers.Dense(1)

        def call(self, x):
            return {"p": self.a(x), "q": {"r": self.b(x), "s": self.c(x)}}

    made = Subclassed()
    made.predict(X, verbose=0)
    random = np.random.default_rng(1)
    made.set_weights([random.normal(size=w.shape).astype("float32") for w in made.get_weights()])
    return made


LOSSES = {"p": "mse", "q": {"r": "mae", "s": "mse"}}
CASES = {
    "one loss": ("dict", {"loss": "mse"}),
    "nested dicts": ("dict", {"loss": LOSSES}),
    "weights": ("dict", {"loss": LOSSES, "loss_weights": {"p": 1.0, "q": {"r": 0.5, "s": 2.0}}}),
    "weights in a list": ("dict", {"loss": LOSSES, "loss_weights": [1.0, 0.5, 2.0]}),
    "metrics": (
        "dict",
        {
            "loss": LOSSES,
            "metrics": {"p": ["mae"], "q": {"r": ["mse", "mae"], "s": "mae"}},
            "weighted_metrics": {"p": ["mae"], "q": {"r": None, "s": ["mse"]}},
        },
    ),
    "the order of the losses": ("dict", {"loss": {"q": {"s": "mse", "r": "mae"}, "p": "mse"}}),
    "some outputs": ("dict", {"loss": {"p": "mse", "q": {"r": "mae"}}}),
    "one output": ("dict", {"loss": {"p": "mse"}}),
    "an output with None": ("dict", {"loss": {"p": "mse", "q": {"r": None, "s": "mse"}}}),
    "lists of one": ("dict", {"loss": {"p": ["mse"], "q": {"r": ["mae"], "s": ["mse"]}}}),
    "one loss for lists": ("list", {"loss": "mse"}),
    "nested lists": ("list", {"loss": ["mse", ["mae", "mse"]], "loss_weights": [1.0, [0.5, 2.0]]}),
    "a flat list": ("list", {"loss": ["mse", "mae", "mse"], "loss_weights": [1.0, 0.5, 2.0]}),
    "by name": ("list", {"loss": {"c": "mse", "b": "mae", "a": "mse"}}),
    "metrics in lists": (
        "list", {"loss": ["mse", ["mae", "mse"]], "metrics": ["mae", [["mse", "mae"], "mae"]]}
    ),
}  # fmt: skip


def logs(made, structure, arguments):
    """Return all logs of a training and an evaluation."""
    made.compile("sgd", **arguments)
    y = Y[structure]
    history = made.fit(X, y, batch_size=5, epochs=2, shuffle=False, verbose=0).history
    values = made.evaluate(X, y, batch_size=5, verbose=0)
    return history, values, made.evaluate(X, y, batch_size=5, verbose=0, return_dict=True)


def agree(ours, theirs):
    for mine, keras_logs in ((ours[0], theirs[0]), (ours[2], theirs[2])):
        assert [*mine] == [*keras_logs]
        for name, value in mine.items():
            np.testing.assert_allclose(value, keras_logs[name], rtol=2e-6, err_msg=name)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=2e-6)


@pytest.mark.parametrize("case", CASES)
def test_logs_of_nested_outputs_agree_with_keras(case):
    agree(*(logs(model(library, CASES[case][0]), *CASES[case]) for library in (fjax, keras)))


def test_losses_of_a_subclassed_models_nested_outputs_agree_with_keras():
    arguments = CASES["weights"]
    agree(*(logs(subclassed(library), *arguments) for library in (fjax, keras)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": {"p": "mse", "q": "mse"}}, r"loss\['q'\]. must be a dict with the keys 'r', 's'"),
        ({"loss": {"p": "mse", "x": "mse"}}, "the key 'x'.*Their keys: 'p', 'q'"),
        ({"loss": ["mse", ["mse", "mse"]]}, "`loss` must be a dict with the keys 'p', 'q'"),
        ({"loss": LOSSES, "metrics": {"p": ["mae"], "q": ["mse"]}}, r"metrics\['q'\]. must be a d"),
        ({"loss": {"p": ["mse", "mae"], "q": None}}, "for one output, which takes one loss"),
        ({"loss": LOSSES, "loss_weights": {"p": 1.0}}, "has a loss and no weight"),
        ({"loss": {"p": None, "q": {"r": None}}}, "has no loss for any output"),
    ],
)
def test_entries_in_another_structure_raise(arguments, message):
    with pytest.raises(ValueError, match=message):
        model(fjax, "dict").compile("sgd", **arguments)
