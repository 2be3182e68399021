"""Models with several inputs and outputs: by position, by name, and in combination."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import fjax
from fjax import Layer, Model
from fjax.layers import Dense, Input

pytestmark = pytest.mark.sampled(3, whole=True)

RANDOM = np.random.default_rng(0)
WIDE = RANDOM.normal(size=(40, 3)).astype("float32")
DEEP = RANDOM.normal(size=(40, 5)).astype("float32")
PRICE = WIDE[:, :1] * 2 + 1
KIND = (DEEP[:, 0] > 0).astype("int32")
INPUTS = {"wide": WIDE, "deep": DEEP}
TARGETS = {"price": PRICE, "kind": KIND}
SPARSE = "sparse_categorical_crossentropy"
LOSS = {"price": "mse", "kind": SPARSE}


class Heads(Layer):
    """A price and the probabilities of a kind, from two inputs.

    Args:
        takes: "arguments" or "dict", how the inputs come.
        gives: "list", "tuple" or "dict", how the outputs go.
        named: Whether the network says its names.
    """

    takes: str = "arguments"
    gives: str = "list"
    named: bool = True

    @property
    def input_names(self):
        return ("wide", "deep") if self.named else None

    @property
    def output_names(self):
        return ("price", "kind") if self.named else None

    def split(self, inputs):
        return (inputs[0]["wide"], inputs[0]["deep"]) if self.takes == "dict" else inputs

    def init(self, key, *specs):
        wide, deep = self.split(specs)
        width = wide.shape[-1] + deep.shape[-1]
        both = jax.ShapeDtypeStruct((1, width), "float32")
        one, other = jax.random.split(key)
        params = {"price": Dense(1).init(one, both)[0], "kind": Dense(2).init(other, deep)[0]}
        return params, {}

    def apply(self, params, state, *inputs, key=None, training=False):
        wide, deep = self.split(inputs)
        both = jnp.concatenate([wide, deep], axis=-1)
        price, _ = Dense(1).apply(params["price"], {}, both)
        kind, _ = Dense(2, "softmax").apply(params["kind"], {}, deep)
        if self.gives == "dict":
            return {"price": price, "kind": kind}, state
        return (price, kind) if self.gives == "tuple" else [price, kind], state


class Twice(Layer):
    """One input, and one output in a list."""

    def apply(self, params, state, inputs, *, key=None, training=False):
        return [2 * inputs], state


def heads(takes="arguments", gives="list", named=True, **compiled):
    model = Model(Heads(takes, gives, named), seed=0)
    specs = {name: jax.ShapeDtypeStruct((1, a.shape[1]), "float32") for name, a in INPUTS.items()}
    # As of a graph, the shapes of the inputs are known from the beginning.
    if named:
        model.model_parts.architecture.build((specs,) if takes == "dict" else tuple(specs.values()))
    model.compile("sgd", **{"loss": LOSS, **compiled})
    return model


FORMS = {
    "by position": ((WIDE, DEEP), (PRICE, KIND)),
    "in lists": ([WIDE, DEEP], [PRICE, KIND]),
    "by name": (INPUTS, TARGETS),
    "by name in another order": (
        {"deep": DEEP, "wide": WIDE},
        {"kind": KIND, "price": PRICE[:, 0]},
    ),
    "frames": ([pd.DataFrame(WIDE), pd.DataFrame(DEEP)], [pd.DataFrame(PRICE), pd.Series(KIND)]),
}


@pytest.mark.sampled(6)
@pytest.mark.parametrize("takes", ["arguments", "dict"])
@pytest.mark.parametrize("gives", ["list", "tuple", "dict"])
def test_any_form_of_data_fits_any_structure(takes, gives):
    results = []
    for x, y in FORMS.values():
        model = heads(takes, gives, metrics={"kind": ["accuracy"]})
        history = model.fit(x, y, epochs=2, verbose=0, validation_data=(x, y)).history
        results.append((history, model.evaluate(x, y, verbose=0)))
        assert set(history) == {
            *("loss", "price_loss", "kind_loss", "kind_accuracy"),
            *("val_loss", "val_price_loss", "val_kind_loss", "val_kind_accuracy"),
        }
        outputs = model.predict(x, verbose=0)
        assert type(outputs) is {"list": list, "tuple": tuple, "dict": dict}[gives]
        leaves = outputs if gives != "dict" else [outputs["price"], outputs["kind"]]
        assert [type(leaf) for leaf in leaves] == [np.ndarray] * 2
        assert [leaf.shape for leaf in leaves] == [(40, 1), (40, 2)]
    assert all(result == results[0] for result in results)


def test_names():
    model = heads()
    assert (model.input_names, model.output_names) == (["wide", "deep"], ["price", "kind"])
    model = Model(Heads())
    model.predict(INPUTS, verbose=0)
    assert model.input_shape == [(None, 3), (None, 5)]
    model = heads(named=False, loss="mse", gives="dict")
    model.predict((WIDE, DEEP), verbose=0)
    assert (model.input_names, model.output_names) == (["input_0", "input_1"], ["kind", "price"])
    model = heads("dict", named=False, loss="mse")
    model.predict(INPUTS, verbose=0)
    assert (model.input_names, model.output_names) == (["deep", "wide"], ["output_0", "output_1"])
    one = fjax.Sequential([fjax.Input((3,)), Dense(1)])
    assert (one.input_names, one.output_names) == (["input_0"], ["output_0"])


def test_the_total_is_the_weighted_sum_of_the_logs():
    model = heads(loss_weights={"price": 0.25, "kind": 3.0})
    logs = model.evaluate(INPUTS, TARGETS, verbose=0, return_dict=True)
    expected = 0.25 * logs["price_loss"] + 3.0 * logs["kind_loss"]
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)
    assert list(logs) == ["kind_loss", "loss", "price_loss"]
    by_list = heads(loss_weights=[0.25, 3.0])
    assert by_list.evaluate(INPUTS, TARGETS, verbose=0, return_dict=True) == logs
    # The list of `evaluate` is in the order of the outputs.
    assert model.evaluate(INPUTS, TARGETS, verbose=0) == [
        logs[name] for name in ("loss", "price_loss", "kind_loss")
    ]


def test_crossentropy_and_accuracy_are_chosen_for_each_output():
    model = heads(loss=["mse", "crossentropy"], metrics=[["mae"], ["accuracy", "ce"]])
    logs = model.evaluate(INPUTS, TARGETS, verbose=0, return_dict=True)
    price, kind = model.predict(INPUTS, verbose=0)
    assert logs["kind_accuracy"] == pytest.approx(np.mean(kind.argmax(-1) == KIND))
    assert logs["kind_ce"] == pytest.approx(logs["kind_loss"], rel=1e-5)
    assert logs["price_mae"] == pytest.approx(abs(price - PRICE).mean(), rel=1e-5)


@pytest.mark.parametrize("gives", ["list", "dict"])
def test_an_output_without_a_loss_needs_no_target(gives):
    for loss in ({"price": "mse"}, {"price": "mse", "kind": None}, ["mse", None]):
        for y in (PRICE, {"price": PRICE}, [PRICE], [PRICE, None], TARGETS):
            if isinstance(loss, list) and gives == "dict":
                continue
            model = heads(gives=gives, loss=loss)
            history = model.fit(INPUTS, y, epochs=1, verbose=0, validation_data=(INPUTS, y))
            assert list(history.history) == ["loss", "val_loss"]
    # A metric alone asks for one.
    model = heads(gives=gives, loss={"price": "mse"}, metrics={"kind": "accuracy"})
    with pytest.raises(ValueError, match="`y` has no array for the output 'kind'"):
        model.fit(INPUTS, {"price": PRICE})
    assert model.evaluate(INPUTS, TARGETS, verbose=0, return_dict=True).keys() == {
        "loss", "kind_accuracy"
    }  # fmt: skip


def test_sample_weights_for_all_outputs_and_for_each():
    weights = np.linspace(0, 1, 40)
    zero = np.zeros(40)
    compiled = {"weighted_metrics": {"price": ["mae"], "kind": ["accuracy"]}}

    def measured(sample_weight):
        model = heads(**compiled)
        return model.evaluate(
            INPUTS, TARGETS, sample_weight=sample_weight, verbose=0, return_dict=True
        )

    bare, whole, price = measured(None), measured(weights), measured({"price": weights})
    assert measured([weights, weights]) == whole
    assert measured([weights, None]) == price == measured({"price": weights, "kind": None})
    for name in ("price_loss", "price_mae"):
        assert whole[name] == price[name] != bare[name]
    for name in ("kind_loss", "kind_accuracy"):
        assert price[name] == bare[name] != whole[name]
    assert measured({"kind": zero})["loss"] == pytest.approx(bare["price_loss"], rel=1e-6)


def test_class_weights_of_outputs_are_their_sample_weights():
    by_class = {0: 5.0, 1: 0.5}
    per_sample = np.where(KIND == 0, 5.0, 0.5)
    results = []
    for arguments in (
        {"class_weight": {"kind": by_class}},
        {"class_weight": [None, by_class]},
        {"sample_weight": {"kind": per_sample}},
    ):
        model = heads()
        history = model.fit(INPUTS, TARGETS, epochs=2, verbose=0, **arguments).history
        results.append(history)
    assert results[0] == results[1] == results[2]
    model, other = heads(), heads()
    one = model.fit(
        INPUTS, TARGETS, verbose=0, class_weight={"kind": by_class}, sample_weight=np.full(40, 2.0)
    )
    two = other.fit(INPUTS, TARGETS, verbose=0, sample_weight=[np.full(40, 2.0), 2 * per_sample])
    assert one.history == two.history


def test_batches_of_an_iterable_by_name_and_by_position():
    def batches(x, y):
        take = jax.tree.map
        return dict(
            enumerate(
                (take(lambda a, i=i: a[i : i + 16], x), take(lambda a, i=i: a[i : i + 16], y))
                for i in (0, 16, 32)
            )
        ).values()

    whole = heads().evaluate(INPUTS, TARGETS, verbose=0)
    for x, y in list(FORMS.values())[:4]:
        model = heads()
        np.testing.assert_allclose(model.evaluate(batches(x, y), verbose=0), whole, rtol=1e-5)
        model.fit(batches(x, y), epochs=2, verbose=0, validation_data=batches(x, y))
        assert int(model.train_state.step) == 6


def test_single_batches():
    model = heads(metrics=[["mae"], ["accuracy"]])
    names = ["loss", "price_loss", "kind_loss", "kind_accuracy", "price_mae"]
    tested = model.test_on_batch(INPUTS, TARGETS)
    assert model.test_on_batch((WIDE, DEEP), (PRICE, KIND)) == tested
    assert model.evaluate(INPUTS, TARGETS, 40, verbose=0) == tested
    trained = model.train_on_batch([WIDE, DEEP], TARGETS, return_dict=True)
    np.testing.assert_allclose([trained[name] for name in names], tested, rtol=1e-5)
    price, kind = model.predict_on_batch(INPUTS)
    for one, other in zip(model(INPUTS), (price, kind), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_single_output_in_a_list_has_names_without_prefix():
    model = Model(Twice())
    model.compile("sgd", ["mse"], metrics=["mae"], loss_weights=0.5)
    logs = model.evaluate(WIDE, [WIDE], verbose=0, return_dict=True)
    assert set(logs) == {"loss", "mae"}
    assert logs["loss"] == pytest.approx(0.5 * np.mean(WIDE**2), rel=1e-5)
    assert model.evaluate(WIDE, WIDE, verbose=0, return_dict=True) == logs
    assert model.evaluate(WIDE, {"output_0": WIDE}, verbose=0, return_dict=True) == logs
    (outputs,) = model.predict(WIDE, verbose=0)
    np.testing.assert_allclose(outputs, 2 * WIDE)


def test_columns_of_a_data_frame_are_not_input_names():
    frame = pd.DataFrame({"wide": WIDE[:, 0], "deep": WIDE[:, 1]})
    model = fjax.Sequential([fjax.Input((2,)), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(frame, pd.DataFrame({"price": PRICE[:, 0]}), verbose=0)
    with pytest.raises(ValueError, match="`x` has 1 array, but the model has 2 inputs: wide, deep"):
        heads().predict(frame)


def test_chunks_never_change_a_bit_of_many_outputs():
    class RecordLogs(fjax.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    models = [heads(metrics=[["mae"], ["accuracy"]]) for _ in range(2)]
    histories = [
        model.fit(INPUTS, TARGETS, 16, 3, verbose=0, callbacks=callbacks).history
        for model, callbacks in zip(models, (None, [RecordLogs()]), strict=True)
    ]
    assert histories[0] == histories[1]
    for one, other in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_equal_models_share_programs(compilations):
    def fitted():
        wide, deep = (Input((a.shape[1],), name=name) for name, a in INPUTS.items())
        outputs = {"price": Dense(1)(wide), "kind": Dense(2, "softmax")(deep)}
        model = Model([wide, deep], outputs)
        model.compile("sgd", LOSS, metrics={"price": ["mae"], "kind": ["accuracy"]})
        model.fit(INPUTS, TARGETS, verbose=0)

    fitted()
    compilations.clear()
    fitted()
    assert [name for name in compilations if "advance" in name] == []


def test_a_metric_with_the_name_of_a_log_is_numbered():
    model = heads(metrics={"price": [fjax.metrics.MeanAbsoluteError(name="loss"), "mae", "mae"]})
    logs = model.evaluate(INPUTS, TARGETS, verbose=0, return_dict=True)
    assert set(logs) == {
        *("loss", "price_loss", "kind_loss", "price_loss_1", "price_mae", "price_mae_1")
    }


def test_callbacks_monitor_the_losses_of_outputs():
    class Monitors(fjax.callbacks.Callback):
        monitor = "val_price_loss"

    heads().fit(INPUTS, TARGETS, validation_split=0.2, verbose=0, callbacks=[Monitors()])
    Monitors.monitor = "val_prise_loss"
    with pytest.raises(ValueError, match="Did you mean `val_price_loss`"):
        heads().fit(INPUTS, TARGETS, validation_split=0.2, verbose=0, callbacks=[Monitors()])


@pytest.mark.filterwarnings("ignore:`predict_classes` is an older:DeprecationWarning")
def test_predict_classes_of_several_outputs_raises():
    with pytest.raises(ValueError, match="one output, but 'heads' has price, kind: use `predict`"):
        heads().predict_classes(INPUTS)
