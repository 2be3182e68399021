"""Wide and deep networks with two outputs, compared with Keras, on the California housing data."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax
from fjax.layers import Dense

ROWS = 2_000


class WideAndDeep(fjax.Layer):
    """Two inputs; one output from both, and an auxiliary output from the deep input."""

    outputs: str = "list"

    input_names = ("wide", "deep")

    @property
    def output_names(self):
        return None if self.outputs == "dict" else ("price", "aux")

    def init(self, key, wide, deep):
        hidden, price, aux = jax.random.split(key, 3)
        between = jax.ShapeDtypeStruct((1, 30), "float32")
        merged = jax.ShapeDtypeStruct((1, 30 + wide.shape[-1]), "float32")
        return {
            "hidden": Dense(30).init(hidden, deep)[0],
            "price": Dense(1).init(price, merged)[0],
            "aux": Dense(1).init(aux, between)[0],
        }, {}

    def apply(self, params, state, wide, deep, *, key=None, training=False):
        hidden, _ = Dense(30, "relu").apply(params["hidden"], {}, deep)
        merged = jnp.concatenate([wide, hidden], axis=-1)
        price, _ = Dense(1).apply(params["price"], {}, merged)
        aux, _ = Dense(1).apply(params["aux"], {}, hidden)
        return ({"price": price, "aux": aux} if self.outputs == "dict" else [price, aux]), state


def functional(outputs):
    wide, deep = keras.Input((5,), name="wide"), keras.Input((6,), name="deep")
    hidden = keras.layers.Dense(30, "relu")(deep)
    price = keras.layers.Dense(1, name="price")(keras.layers.Concatenate()([wide, hidden]))
    aux = keras.layers.Dense(1, name="aux")(hidden)
    made = {"price": price, "aux": aux} if outputs == "dict" else [price, aux]
    model = keras.Model([wide, deep], made)
    layers = [layer for layer in model.layers if layer.name.startswith("dense")]
    return model, [*layers, model.get_layer("price"), model.get_layer("aux")]


def pair(outputs, data):
    """Return Keras's model and ours, with the same weights."""
    theirs, layers = functional(outputs)
    ours = fjax.Model(WideAndDeep(outputs), seed=0)
    ours.predict((data["wide"][:1], data["deep"][:1]), verbose=0)
    names = ("hidden", "price", "aux")
    params = {
        name: dict(zip(("kernel", "bias"), layer.get_weights(), strict=True))
        for name, layer in zip(names, layers, strict=True)
    }
    ours.train_state = ours.train_state._replace(params=params)
    return ours, theirs


@pytest.fixture(scope="module")
def data():
    try:
        (x, y), _ = fjax.datasets.california_housing.load_data()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    known = ~np.isnan(x).any(axis=1)
    x, y = x[known][:ROWS], y[known][:ROWS, None] / 1e5
    x = ((x - x.mean(0)) / x.std(0)).astype("float32")
    random = np.random.default_rng(0)
    return {
        "wide": x[:, :5],
        "deep": x[:, 2:],
        "price": y.astype("float32"),
        "aux": np.log(y).astype("float32"),
        "weights": random.uniform(0, 2, (2, ROWS)).astype("float32"),
    }


# Arguments of `compile`, and of `fit` for targets and weights.
CASES = {
    "by position": (
        {"loss": ["mse", "mae"], "loss_weights": [0.9, 0.1],
         "metrics": [["mae"], ["mse", "mae"]], "weighted_metrics": [["mae"], ["mse"]]},
        "list",
    ),
    "by name": (
        {"loss": {"price": "mse", "aux": "mae"}, "loss_weights": {"aux": 0.1, "price": 0.9},
         "metrics": {"aux": ["mse"], "price": "mae"}, "weighted_metrics": {"price": ["mae"]}},
        "dict",
    ),
    "one loss for all": ({"loss": "mse", "loss_weights": 0.5, "metrics": ["mae", "mse"]}, "one"),
    "an output without a loss": ({"loss": ["mse", None], "metrics": [None, ["mae"]]}, "none"),
}  # fmt: skip


def given(data, how, structure):
    """Return targets and weights in the structure that Keras requires."""
    targets = [data["price"], data["aux"]]
    weights = list(data["weights"])
    if structure == "dict":
        names = ("price", "aux")
        targets, weights = (dict(zip(names, v, strict=True)) for v in (targets, weights))
    if how == "one":
        weights = data["weights"][0]
    return targets, None if how == "none" else weights


def same(ours, theirs):
    assert list(ours) == list(theirs)
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.sampled(3, name="^")
@pytest.mark.parametrize("structure", ["list", "dict"])
@pytest.mark.parametrize("case", CASES)
def test_three_epochs_with_every_log(data, case, structure):
    compiled, how = CASES[case]
    targets, weights = given(data, how, structure)
    x = [data["wide"], data["deep"]]
    models = pair(structure, data)
    outputs = [model.predict(x, verbose=0) for model in models]
    assert type(outputs[0]) is type(outputs[1])
    assert jax.tree.structure(outputs[0]) == jax.tree.structure(outputs[1])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), *outputs)
    histories, dicts, lists = [], [], []
    for model in models:
        model.compile("sgd", **compiled)
        history = model.fit(
            x, targets, sample_weight=weights, epochs=3, shuffle=False, verbose=0,
            validation_split=0.1,
        )  # fmt: skip
        histories.append(history.history)
        dicts.append(model.evaluate(x, targets, sample_weight=weights, verbose=0, return_dict=True))
        lists.append(model.evaluate(x, targets, sample_weight=weights, verbose=0))
    same(*histories)
    same(*dicts)
    np.testing.assert_allclose(*lists, rtol=1e-4, atol=1e-6)
    assert models[0].output_names == models[1].output_names


def test_training_and_testing_on_a_batch(data):
    x = [data["wide"][:64], data["deep"][:64]]
    targets = [data["price"][:64], data["aux"][:64]]
    results = []
    for model in pair("list", data):
        model.compile("sgd", ["mse", "mae"], metrics=[["mae"], ["mse"]], loss_weights=[2.0, 0.5])
        results.append([model.train_on_batch(x, targets), *([model.test_on_batch(x, targets)] * 2)])
    np.testing.assert_allclose(*results, rtol=1e-5)


def test_inputs_and_targets_by_name(data):
    named = {"wide": data["wide"], "deep": data["deep"]}
    targets = {"aux": data["aux"], "price": data["price"]}
    histories = []
    for model in pair("list", data):
        model.compile("sgd", {"price": "mse", "aux": "mae"})
        history = model.fit(named, targets, shuffle=False, verbose=0,
                            validation_data=(named, targets))  # fmt: skip
        histories.append(history.history)
    same(*histories)


@pytest.mark.parametrize("weight", [0.5, [0.5]])
def test_the_weight_of_a_single_loss(data, weight):
    histories = []
    for library in (fjax, keras):
        model = library.Sequential([library.Input((5,)), library.layers.Dense(1)])
        model.set_weights([np.full((5, 1), 0.1, "float32"), np.zeros(1, "float32")])
        model.compile("sgd", "mse", loss_weights=weight, metrics=[["mae", "mse"]])
        histories.append(
            model.fit(data["wide"], data["price"], epochs=2, shuffle=False, verbose=0).history
        )
    same(*histories)


@pytest.mark.parametrize("loss", [{"a": ["mse"], "b": ["mae"]}, [["mse"], ["mae"]]], ids=str)
def test_the_loss_of_an_output_may_be_in_a_list(loss):
    x, y = np.linspace(0, 1, 12).reshape(4, 3), np.ones((4, 1))
    results = []
    for library in (keras, fjax):
        inputs = library.Input((3,))
        outputs = {
            name: library.layers.Dense(1, kernel_initializer="ones", name=name)(inputs)
            for name in "ab"
        }
        is_dict = isinstance(loss, dict)
        model = library.Model(inputs, outputs if is_dict else list(outputs.values()))
        model.compile("sgd", loss)
        targets = {"a": y, "b": y} if is_dict else [y, y]
        results.append(model.evaluate(x, targets, verbose=0, return_dict=True))
    assert results[0].keys() == results[1].keys()
    for name, value in results[0].items():
        np.testing.assert_allclose(results[1][name], value, rtol=1e-5)
