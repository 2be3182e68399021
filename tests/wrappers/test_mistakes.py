"""Objects that are not models, and models that do not fit the data."""

import numpy as np
import pytest

import fjax
from fjax.layers import Dense, Input
from fjax.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer


def model_of(units, loss, activation=None, inputs=2):
    model = fjax.Sequential([Input((inputs,)), Dense(units, activation)])
    model.compile("sgd", loss)
    return model


def returned(value):
    def build_model():
        return value

    return build_model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (returned(None), "`build_model` must end with `return model`, .*, it returned None"),
        (returned(3), "a compiled `fjax.Model`, it returned 3"),
        (returned(fjax.Sequential([Dense(1)])), "a model that is not compiled"),
        (fjax.Sequential([Dense(1)]), "is not compiled: call `model.compile"),
        ("mlp", "`model` must be a function that returns a compiled .*received 'mlp'"),
    ],
)
def test_objects_that_are_not_compiled_models(model, message, line):
    with pytest.raises(TypeError, match=message):
        SKLearnRegressor(model).fit(*line)


def test_a_function_that_returns_the_same_model_again(line):
    regressor = SKLearnRegressor(returned(model_of(1, "mse"))).fit(*line)
    with pytest.raises(ValueError, match="`build_model` returned the model of the last fit again"):
        regressor.fit(*line)


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"epochs": 1.5}, {"validation_split": 2}, {"shuffle": 3}]
)
def test_invalid_arguments_of_fit(wrong, line, build):
    with pytest.raises(ValueError, match=f"`fit`: `{next(iter(wrong))}"):
        SKLearnRegressor(build, **wrong).fit(*line)


def test_outputs_and_targets_of_different_sizes(line, groups):
    x, y = line
    with pytest.raises(ValueError, match="`y` has 1 column, and the model has 3 outputs"):
        SKLearnRegressor(model_of(3, "mse")).fit(x, y)
    with pytest.raises(ValueError, match="`y` has 2 columns, and the model has 1 output:"):
        SKLearnRegressor(model_of(1, "mse")).fit(x, x)
    x, y = groups
    loss = "sparse_categorical_crossentropy"
    with pytest.raises(ValueError, match=r"have 3 classes, and the model has 5 outputs: .* have 3"):
        SKLearnClassifier(model_of(5, loss, "softmax")).fit(x, y)
    with pytest.raises(ValueError, match="have 3 classes, and the model has 1 output:"):
        SKLearnClassifier(model_of(1, "bce", "sigmoid")).fit(x, y)
    with pytest.raises(ValueError, match=r"have 2 classes, and the model has 3 outputs: .* 1 or 2"):
        SKLearnClassifier(model_of(3, loss, "softmax")).fit(x, y > 0)


def test_invalid_labels(groups):
    x, y = groups
    model = model_of(3, "sparse_categorical_crossentropy", "softmax")
    with pytest.raises(ValueError, match="of one class, 1"):
        SKLearnClassifier(model).fit(x, np.ones(60, int))
    with pytest.raises(ValueError, match="of one class, 2"):
        SKLearnClassifier(model).fit(x, y, sample_weight=y == 2)
    with pytest.raises(
        ValueError, match="`class_weight` names the class 'a'; the classes are 0, 1"
    ):
        SKLearnClassifier(model, class_weight={np.str_("a"): 2.0}).fit(x, y)
    with pytest.raises(ValueError, match="`class_weight` names the class 7; the classes are 0, 1"):
        SKLearnClassifier(model, class_weight={7: 2.0}).fit(x, y)
    for wrong in ({0: -1.0}, {0: np.nan}, "balancd", [1, 2, 3]):
        with pytest.raises(ValueError, match="`class_weight"):
            SKLearnClassifier(model, class_weight=wrong).fit(x, y)
    with pytest.raises(ValueError, match="all rows have weight 0"):
        SKLearnClassifier(model, class_weight={0: 0, 1: 0, 2: 0}).fit(x, y)
    with pytest.raises(ValueError, match=r"`validation_data` has the label 5 at row 0.*0, 1, 2"):
        SKLearnClassifier(model).fit(x, y, validation_data=(x, y + 5))
    with pytest.raises(ValueError, match="a hinge loss does not train"):
        SKLearnClassifier(model_of(1, "hinge")).fit(x, y > 0)
    fitted = SKLearnClassifier(model).fit(x, y)
    with pytest.raises(ValueError, match="`y` has the label 9 at row 0"):
        fitted.partial_fit(x, y + 9)


def test_invalid_targets_and_weights(line, build):
    x, y = line
    regressor = SKLearnRegressor(build)
    with pytest.raises(ValueError, match="`y` must hold numbers, received 'a'"):
        regressor.fit(x, np.full(40, "a"))
    with pytest.raises(ValueError, match="beyond float32"):
        regressor.fit(x, y * 1e300)
    with pytest.raises(ValueError, match="too large for dtype"):
        regressor.fit(x * 1e300, y)
    with pytest.raises(ValueError, match="must not be negative, received -1 at row 3"):
        regressor.fit(x, y, sample_weight=np.where(np.arange(40) == 3, -1, 1))
    with pytest.raises(ValueError, match=r"one number for each of the 40 samples.*\(39,\)"):
        regressor.fit(x, y, sample_weight=np.ones(39))
    with pytest.raises(ValueError, match="all weights are zero"):
        regressor.fit(x, y, sample_weight=np.zeros(40))
    with pytest.raises(ValueError, match=r"`validation_data` must be `\(X, y\)`.*received dict"):
        regressor.fit(x, y, validation_data={})


def test_models_with_other_inputs_and_outputs(line):
    x, y = line
    with pytest.raises(ValueError, match=r"samples of shape \(2,\).*expects \(3,\)"):
        SKLearnRegressor(model_of(1, "mse", inputs=3)).fit(x, y)
    inputs = Input((2,))
    model = fjax.Model(inputs, [Dense(1, name="one")(inputs), Dense(1, name="other")(inputs)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"one input and one output, .* the outputs one, other"):
        SKLearnRegressor(model).fit(x, y)


def test_an_unknown_layer(line):
    with pytest.raises(ValueError, match=r"has no layer 'dens'. Did you mean `dense`"):
        SKLearnTransformer(model_of(1, "mse"), layer="dens").fit(*line)
