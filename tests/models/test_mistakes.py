"""Common mistakes: each raises a clear error before any training."""

import numpy as np
import pandas as pd
import pytest

import fjax as keras
from fjax import Layer
from fjax.layers import Dense, Dropout, Flatten, Input

X = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
LABELS = np.arange(20) % 3
ONE_HOT = np.eye(3)[LABELS]
TARGETS = X[:, 0]
STEPS, STEP_LABELS = np.ones((5, 3, 4), "float32"), np.arange(15).reshape(5, 3) % 3
SPARSE, ONE = "sparse_categorical_crossentropy", "categorical_crossentropy"


def classifier(loss=SPARSE, units=3, **compiled):
    model = keras.Sequential([Input((4,)), Dense(units, "softmax")])
    model.compile("sgd", loss, **compiled)
    return model


def regressor(units=1, loss="mse", **compiled):
    model = keras.Sequential([Input((4,)), Dense(units)])
    model.compile("sgd", loss, **compiled)
    return model


def tagger():
    model = keras.Sequential([Input((3, 4)), Dense(3, "softmax")])
    model.compile("sgd", SPARSE)
    return model


class Two(Layer):
    """Scores of three classes and a number, from two inputs."""

    input_names = ("left", "right")
    output_names = ("label", "number")

    def init(self, key, left, right):
        return {"label": Dense(3).init(key, left)[0], "number": Dense(1).init(key, right)[0]}, {}

    def apply(self, params, state, left, right, *, key=None, training=False):
        scores, _ = Dense(3, "softmax").apply(params["label"], {}, left)
        number, _ = Dense(1).apply(params["number"], {}, right)
        return [scores, number], state


XS, YS = {"left": X, "right": X[:, :2]}, {"label": LABELS, "number": TARGETS}


def two(**compiled):
    model = keras.Model(Two())
    model.predict(XS, verbose=0)
    model.compile("sgd", **{"loss": {"label": SPARSE, "number": "mse"}, **compiled})
    return model


def with_bad(value, row=3, column=2):
    x = X.copy()
    x[row, column] = value
    return x


class Monitors(keras.callbacks.Callback):
    def __init__(self, monitor):
        super().__init__()
        self.monitor = monitor


FIT = {
    # Data and model do not fit each other.
    "lengths": (lambda: regressor().fit(X, TARGETS[:-1]), "`x` has 20 samples and `y` has 19"),
    "weights length": (
        lambda: regressor().fit(X, TARGETS, sample_weight=[1.0]),
        "20 samples and `sample_weight` has 1",
    ),
    "rank": (lambda: regressor().fit(X[:, 0], TARGETS), r"samples of shape \(\) .* expects \(4,\)"),
    "width": (lambda: regressor().fit(X[:, :3], TARGETS), r"shape \(3,\) .* expects \(4,\)"),
    "image for rows": (
        lambda: regressor().fit(X[..., None, None], TARGETS),
        r"\(4, 1, 1\) .* \(4,\)",
    ),
    "two inputs": (lambda: regressor().fit((X, X), TARGETS), "one array as `x`, received 2 inputs"),
    "validation width": (
        lambda: regressor().fit(X, TARGETS, validation_data=(X[:, :2], TARGETS)),
        r"samples of shape \(2,\)",
    ),
    "predict width": (lambda: regressor().predict(X[:, :2]), r"shape \(2,\) .* expects \(4,\)"),
    "evaluate width": (lambda: regressor().evaluate(X[:, :2], TARGETS), r"samples of shape \(2,\)"),
    # Labels and loss do not fit each other.
    "label too large": (lambda: classifier().fit(X, LABELS + 1), "row 2 of y holds 3, .* 0 to 2"),
    "label negative": (lambda: classifier().fit(X, LABELS - 1), "row 0 of y holds -1, .* 0 to 2"),
    "label a fraction": (lambda: classifier().fit(X, LABELS + 0.5), "row 0 of y holds 0.5"),
    "one-hot for sparse": (lambda: classifier().fit(X, ONE_HOT), "`categorical_crossentropy`"),
    "sparse for one-hot": (lambda: classifier(ONE).fit(X, LABELS), SPARSE),
    "wrong one-hot width": (lambda: classifier(ONE).fit(X, np.eye(4)[LABELS]), r"\(20, 4\)"),
    "softmax of one": (lambda: classifier(SPARSE, 1).fit(X, LABELS % 2), "binary_crossentropy"),
    "binary out of range": (
        lambda: regressor(loss="binary_crossentropy").fit(X, LABELS),
        "row 2 of y holds 2",
    ),
    "broadcast": (lambda: regressor(3).fit(X, TARGETS), r"\(20,\)"),
    "broadcast back": (lambda: regressor(1).fit(X, ONE_HOT), r"\(20, 3\)"),
    "labels of validation": (
        lambda: classifier().fit(X, LABELS, validation_data=(X, LABELS + 5)),
        "of y holds 5",
    ),
    "no targets": (lambda: regressor().fit(X), "need targets: `y` is None"),
    "several targets": (lambda: regressor().fit(X, (TARGETS, TARGETS)), "takes one array as `y`"),
    "no data": (lambda: regressor().fit(), "no data: `x` is None"),
    # Data that cannot be trained on.
    "text": (lambda: regressor().fit(X.astype(str), TARGETS), "`x` must hold numbers"),
    "text labels": (lambda: classifier().fit(X, np.array(["a"] * 20)), "`y` must hold numbers"),
    "objects": (lambda: regressor().fit(pd.DataFrame({"a": ["x"] * 20}), TARGETS), "column 'a'"),
    "empty": (lambda: regressor().fit(X[:0], TARGETS[:0]), r"`x` is empty: its shape is \(0, 4\)"),
    "nan": (lambda: regressor().fit(with_bad(np.nan), TARGETS), "nan at row 3, column 2"),
    "infinity": (lambda: regressor().fit(with_bad(-np.inf), TARGETS), "-inf at row 3, column 2"),
    "nan target": (lambda: regressor().fit(X, with_bad(np.nan)[:, 2]), "`y` .* nan at row 3"),
    "nan in prediction": (lambda: regressor().predict(with_bad(np.nan)), "nan at row 3, column 2"),
    "nan weight": (
        lambda: regressor().fit(X, TARGETS, sample_weight=with_bad(np.nan)[:, 2]),
        "`sample_weight` has 1 entries",
    ),
    # Impossible numbers.
    "epochs": (lambda: regressor().fit(X, TARGETS, epochs=-1), "`epochs` must be .* received -1"),
    "epochs a float": (lambda: regressor().fit(X, TARGETS, epochs=1.5), "`epochs` .* 1.5"),
    "batch_size": (lambda: regressor().fit(X, TARGETS, batch_size=0), "`batch_size` .* received 0"),
    "batch_size of predict": (lambda: regressor().predict(X, batch_size=-1), "`batch_size`"),
    "validation_split": (
        lambda: regressor().fit(X, TARGETS, validation_split=1.5),
        r"`validation_split` must be a number in \[0, 1\), received 1.5",
    ),
    "nothing left": (
        lambda: regressor().fit(X[:2], TARGETS[:2], validation_split=0.9),
        "leaves 0 to train",
    ),
    "steps_per_epoch": (
        lambda: regressor().fit(X, TARGETS, steps_per_epoch=0),
        "`steps_per_epoch`",
    ),
    "verbose": (lambda: regressor().fit(X, TARGETS, verbose=3), "`verbose` must be 0, 1, 2"),
    "shuffle": (lambda: regressor().fit(X, TARGETS, shuffle="yes"), "`shuffle` must be True"),
    "class_weight class": (
        lambda: classifier().fit(X, LABELS, class_weight={7: 2.0}),
        "`class_weight` names class 7, .* 0 to 2",
    ),
    "class_weight of steps": (
        lambda: tagger().fit(STEPS, STEP_LABELS, class_weight={0: 1.0, 1: 5.0}),
        r"`class_weight` weighs samples of one class each, .*\('batch', 3, 3\), .*"
        r"`sample_weight=np.array\(\[1.0, 5.0\]\)\[y\]`",
    ),
    "class_weight of numbers": (
        lambda: regressor().fit(X, TARGETS, class_weight={0: 1.0, 1: 2.0}),
        "needs class labels from 0 to 1 as `y`, but row 0 has",
    ),
    "measuring without targets": (
        lambda: regressor(loss=None, metrics=["mae"]).evaluate(X),
        "need targets: `y` is None",
    ),
    "class_weight negative": (
        lambda: classifier().fit(X, LABELS, class_weight={1: -2.0}),
        r"`class_weight\[1\]` must be a number",
    ),
    "validation_data": (
        lambda: regressor().fit(X, TARGETS, validation_data=(X,)),
        r"`validation_data` must be `\(x, y\)`",
    ),
    "targets beside batches": (
        lambda: regressor().fit(iter([(X, TARGETS)]), TARGETS),
        "leave out `y`",
    ),
    "split of batches": (
        lambda: regressor().fit(iter([(X, TARGETS)]), validation_split=0.5),
        "`validation_split` needs arrays, but `x` yields batches",
    ),
    "class_weight of a generator": (
        lambda: classifier().fit(iter([(X, LABELS)]), class_weight={0: 2.0}),
        r"`class_weight` needs arrays, or batches by index.*yield `\(x, y, sample_weight\)`",
    ),
    "batch in a generator": (
        lambda: regressor().fit(iter([(X[:, :2], TARGETS)]), verbose=0),
        r"samples of shape \(2,\)",
    ),
    # Monitors of callbacks.
    "monitor": (
        lambda: regressor().fit(X, TARGETS, callbacks=[Monitors("los")]),
        "`Monitors` monitors 'los', .* Did you mean `loss`",
    ),
    "monitor without validation": (
        lambda: regressor().fit(X, TARGETS, callbacks=[Monitors("val_loss")]),
        "Give `fit` a `validation_split` or `validation_data`",
    ),
    # Several inputs and outputs.
    "input missing": (
        lambda: two().fit({"left": X}, YS),
        "`x` has no array for the input 'right'. It must hold .* left, right",
    ),
    "input of another name": (
        lambda: two().fit({"left": X, "rihgt": X}, YS),
        "`x` names 'rihgt', which is not an input of the model. Did you mean `right`",
    ),
    "inputs too many": (
        lambda: two().fit((X, X, X), YS),
        "`x` has 3 arrays, but the model has 2 inputs: left, right",
    ),
    "input of another width": (
        lambda: two().predict({"left": X, "right": X}),
        r"shape \(4,\) .* for the input 'right', but the model expects \(2,\)",
    ),
    "input in a dict": (
        lambda: two().fit({"left": X, "right": {"a": X}}, YS),
        "one array for the input 'right', received a dict",
    ),
    "nan in an input": (lambda: two().fit({**XS, "left": with_bad(np.nan)}, YS), r"`x\['left'\]`"),
    "target missing": (
        lambda: two().fit(XS, {"label": LABELS}),
        "`y` has no array for the output 'number'",
    ),
    "target of another name": (
        lambda: two().fit(XS, {**YS, "lable": LABELS}),
        "`y` names 'lable', which is not an output of the model. Did you mean `label`",
    ),
    "targets too many": (
        lambda: two().fit(XS, (LABELS, TARGETS, TARGETS)),
        "`y` has 3 arrays, but the model has 2 outputs: label, number",
    ),
    "target in validation": (
        lambda: two().fit(XS, YS, validation_data=(XS, {"number": TARGETS})),
        "`y` has no array for the output 'label'",
    ),
    "target outside the classes": (
        lambda: two().fit(XS, {**YS, "label": LABELS + 1}),
        r"row 2 of y\['label'\] holds 3",
    ),
    "target of another shape": (
        lambda: two().fit(XS, {**YS, "number": ONE_HOT}),
        r"y\['number'\] of shape \(20, 3\)",
    ),
    "target of another length": (
        lambda: two().fit(XS, {**YS, "number": TARGETS[:5]}),
        r"\['number'\]: 5",
    ),
    "weights of another name": (
        lambda: two().fit(XS, YS, sample_weight={"numbr": TARGETS}),
        "`sample_weight` names 'numbr', .* Did you mean `number`",
    ),
    "weights too few": (
        lambda: two().fit(XS, YS, sample_weight=[np.ones(20)]),
        "`sample_weight` has 1 array, but the model has 2 outputs",
    ),
    "weights of another shape": (
        lambda: two().fit(XS, YS, sample_weight={"number": np.ones((20, 2))}),
        r"`sample_weight\['number'\]` must hold one number for each sample",
    ),
    "class weights of another name": (
        lambda: two().fit(XS, YS, class_weight={"lab": {0: 1.0}}),
        "`class_weight` names 'lab', .* Did you mean `label`",
    ),
    "class weights of another class": (
        lambda: two().fit(XS, YS, class_weight={"label": {9: 1.0}}),
        r"`class_weight\['label'\]` names class 9, .* 0 to 2",
    ),
    "losses too few": (
        lambda: two(loss=["mse"]),
        "`loss` has 1 entry, but the model has 2 outputs",
    ),
    "losses too many": (
        lambda: regressor(loss=["mse", "mae"]),
        "`loss` has 2 entries, but the model has 1 output: output_0",
    ),
    "loss of another name": (
        lambda: two(loss={"labels": SPARSE}),
        "`loss` names 'labels', which is not an output of the model. Did you mean `label`",
    ),
    "loss name of one output": (
        lambda: two(loss={"label": "msee"}),
        "Unknown loss 'msee'. Did you mean `mse`",
    ),
    "weight of no loss": (
        lambda: two(loss={"label": SPARSE}, loss_weights={"number": 1.0}),
        "`loss_weights`: the output '.*' has a",
    ),
    "weight missing": (
        lambda: two(loss_weights={"number": 1.0}),
        "the output 'label' has a loss and no weight",
    ),
    "weight no number": (
        lambda: two(loss_weights=[1.0, "heavy"]),
        r"`loss_weights\[1\]` must be a number",
    ),
    "metrics for one of two": (
        lambda: two(metrics=["mae"]),
        "`metrics` has 1 entry, but the model has 2 outputs: label, number",
    ),
    "metrics of another name": (
        lambda: two(weighted_metrics={"numbers": ["mae"]}),
        "`weighted_metrics` names 'numbers', .* Did you mean `number`",
    ),
    "metric name of one output": (
        lambda: two(metrics={"label": "acuracy"}),
        "Unknown metric 'acuracy'. Did you mean `accuracy`",
    ),
    # Said at construction and at compile.
    "loss name": (
        lambda: regressor(loss="mean_sqared_error"),
        "Unknown loss 'mean_sqared_error'. Did you mean `mean_squared_error`",
    ),
    "optimizer name": (
        lambda: regressor().compile("adm", "mse"),
        "Unknown optimizer 'adm'. Did you mean `adam`",
    ),
    "metric name": (
        lambda: regressor(metrics=["acuracy"]),
        "Unknown metric 'acuracy'. Did you mean `accuracy`",
    ),
    "activation name": (lambda: Dense(3, "rleu"), "Unknown activation 'rleu'. Did you mean `relu`"),
    "initializer name": (
        lambda: Dense(3, kernel_initializer="he_norml"),
        "Unknown initializer 'he_norml'. Did you mean `he_normal`",
    ),
    "units": (lambda: Dense(0), "`units` must be an integer of at least 1, received 0"),
    "rate": (lambda: Dropout(50), r"`rate` must be a number in \[0, 1\], received 50"),
    "learning rate": (
        lambda: keras.optimizers.SGD(-0.1),
        r"`learning_rate` must be .* received -0.1",
    ),
    "momentum": (lambda: keras.optimizers.SGD(0.1, 9), r"`momentum` must be .* received 9"),
    "names": (
        lambda: keras.Sequential([Dense(1, name="a"), Dense(2, name="a")]),
        "Two layers are named 'a'",
    ),
    "shape before it is known": (
        lambda: keras.Sequential([Flatten(), Dense(1)]).count_params(),
        "does not know its input shape yet",
    ),
    "jit_compile": (
        lambda: regressor(jit_compile="yes"),
        '`jit_compile` must be True, False or "auto"',
    ),
    "to_categorical": (
        lambda: keras.utils.to_categorical([0, 3], 3),
        r"integers from 0 to 2, found 3 at \(1,\)",
    ),
}

TYPE = {
    "keyword of fit": (
        lambda: regressor().fit(X, TARGETS, epoch=5),
        "`Model.fit` takes no argument `epoch`. Did you mean `epochs`",
    ),
    "keyword of compile": (
        lambda: regressor().compile(optimser="adam"),
        "takes no argument `optimser`. Did you mean `optimizer`",
    ),
    "keyword of a layer": (
        lambda: Dense(3, activaton="relu"),
        "takes no argument `activaton`. Did you mean `activation`",
    ),
    "keyword of an optimizer": (
        lambda: keras.optimizers.Adam(learnin_rate=0.1),
        "takes no argument `learnin_rate`. Did you mean `learning_rate`",
    ),
    "keyword of a loss": (
        lambda: keras.losses.BinaryCrossentropy(from_logit=True),
        "takes no argument `from_logit`. Did you mean `from_logits`",
    ),
    "keyword of a metric": (
        lambda: keras.metrics.AUC(num_threshold=5),
        "takes no argument `num_threshold`. Did you mean `num_thresholds`",
    ),
    "metrics no list": (lambda: regressor(metrics="accuracy"), r'such as metrics=\["accuracy"\]'),
    "class_weight for which output": (
        lambda: two().fit(XS, YS, class_weight={0: 2.0}),
        "the model has the outputs label, number: `class_weight` must be a dict by output",
    ),
    "metric None": (lambda: two(metrics=[["mae", None], None]), "must not hold None"),
    "class_weight a list": (
        lambda: classifier().fit(X, LABELS, class_weight=[1, 2, 3]),
        "must be a dict of class to weight",
    ),
    "callback a class": (
        lambda: regressor().fit(X, TARGETS, callbacks=[keras.callbacks.History]),
        r"Call it: `History\(\)`",
    ),
    "callback no callback": (
        lambda: regressor().fit(X, TARGETS, callbacks=["history"]),
        "must hold `fjax.callbacks.Callback` objects",
    ),
    "layer a class": (lambda: keras.Sequential([Dense]), r"Call it: `Dense\(…\)`"),
    "layer not in a list": (lambda: keras.Sequential(Dense(1)), "must be a list of layers"),
    "units missing": (lambda: Dense(), "units"),
}


@pytest.mark.parametrize("name", FIT)
def test_an_invalid_value_raises_a_clear_value_error(name):
    mistake, message = FIT[name]
    with pytest.raises(ValueError, match=message):
        mistake()


@pytest.mark.parametrize("name", TYPE)
def test_an_invalid_type_raises_a_clear_type_error(name):
    mistake, message = TYPE[name]
    with pytest.raises(TypeError, match=message):
        mistake()


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_training_before_compiling_raises(method):
    model = keras.Sequential([Input((4,)), Dense(1)])
    with pytest.raises(RuntimeError, match=r"must be compiled before .*model.compile\(optimizer=…"):
        getattr(model, method)(X, TARGETS)


def test_a_mistake_leaves_the_model_untouched():
    model = regressor()
    weights = model.get_weights()
    for data in ((with_bad(np.nan), TARGETS), (X[:, :2], TARGETS), (X, ONE_HOT)):
        with pytest.raises(ValueError):
            model.fit(*data, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])
    assert int(model.train_state.step) == 0
    model.fit(X, TARGETS, verbose=0)


def test_valid_use_that_looks_like_a_mistake():
    regressor().fit(X, TARGETS[:, None], verbose=0)
    regressor().fit(X, TARGETS, verbose=0)
    classifier().fit(X, LABELS[:, None], verbose=0)
    classifier().fit(X, LABELS.astype("float64"), verbose=0)
    classifier().fit(X, LABELS.astype("uint8"), verbose=0)
    regressor(loss="binary_crossentropy").fit(X, LABELS > 0, verbose=0)
    regressor(3).fit(X, ONE_HOT, verbose=0)
    classifier(ONE).fit(X, ONE_HOT.astype(bool), class_weight={0: 2}, verbose=0)
    assert regressor().predict(X.tolist(), verbose=0).shape == (20, 1)


def test_an_axis_of_unknown_size_that_a_layer_needs_raises():
    with pytest.raises(ValueError, match=r"weight 'dense/kernel' .* \(None, 1\)"):
        keras.Sequential([Input((None, 3)), Flatten(), Dense(1)])


def test_an_invalid_label_in_the_validation_split_is_named_by_its_row():
    labels = LABELS.copy()
    labels[-1] = 9
    with pytest.raises(ValueError, match=f"row {len(labels) - 1}"):
        classifier().fit(X, labels, validation_split=0.25, verbose=0)


def test_a_warning_of_too_many_steps_points_at_the_users_line():
    model = classifier()
    data = {"verbose": 0, "batch_size": 10}
    for call in (
        lambda: model.fit(X, LABELS, validation_split=0.5, validation_steps=99, **data),
        lambda: model.fit(X, LABELS, validation_data=(X, LABELS), validation_steps=99, **data),
        lambda: model.evaluate(X, LABELS, steps=99, **data),
        lambda: model.predict(X, steps=99, **data),
    ):
        with pytest.warns(UserWarning, match="99 steps were requested") as caught:
            call()
        assert caught[0].filename == __file__


def test_weights_of_steps_by_their_class():
    weights = np.array([1.0, 5.0, 2.0])[STEP_LABELS]
    model = tagger()
    model.set_weights([np.zeros((4, 3)), np.array([0.0, 1.0, 2.0])])
    loss = model.evaluate(STEPS, STEP_LABELS, sample_weight=weights, verbose=0)
    probabilities = np.exp([0.0, 1.0, 2.0]) / np.exp([0.0, 1.0, 2.0]).sum()
    expected = np.mean(-np.log(probabilities[STEP_LABELS]) * weights)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_a_loss_that_calls_a_model_names_compute_loss():
    features = keras.Sequential([Input((1,)), Dense(3)])
    model = regressor(loss=lambda y_true, y_pred: (features(y_true) - features(y_pred)) ** 2)
    with pytest.raises(TypeError, match=r"belongs in `compute_loss` of a subclass of `Model`"):
        model.fit(X, TARGETS, verbose=0)
