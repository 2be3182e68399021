"""Losses by name."""

from types import FunctionType

import jax.numpy as jnp
import pytest

from fjax import losses


def cubed(y_true, y_pred):
    return jnp.abs(y_true - y_pred) ** 3


def test_get_accepts_functions_classes_objects_and_configurations():
    assert losses.get(None) is None
    assert losses.get("mse") is losses.get("MSE") is losses.mean_squared_error
    assert losses.get("logcosh") is losses.log_cosh
    assert losses.get("MeanSquaredError") == losses.MeanSquaredError()
    assert losses.get(losses.Huber) == losses.Huber()
    assert losses.get(losses.Huber(2.0)) == losses.Huber(2.0)
    assert losses.get(cubed) is cubed
    config = {"class_name": "Huber", "config": {"delta": 2.0}}
    assert losses.get(config) == losses.Huber(2.0)


@pytest.mark.parametrize("function", [losses.get, losses.as_loss])
def test_the_error_for_an_unknown_name_suggests_a_similar_one(function):
    with pytest.raises(ValueError, match="Did you mean `mean_squared_error`"):
        function("mean_squared_eror")
    with pytest.raises(TypeError, match="Expected the name of a known loss"):
        function(3)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, member in vars(losses).items()
        if isinstance(member, FunctionType)
        and name not in ("as_loss", "deserialize", "get", "resolve", "serialize")
    ],
)
def test_every_function_has_a_class(name):
    loss = losses.as_loss(name)
    assert type(loss).__module__ != "fjax.losses.loss"
    assert loss == losses.as_loss(getattr(losses, name)) == type(loss)()


def test_losses_of_a_custom_function_are_equal_if_the_function_is():
    loss = losses.as_loss(cubed)
    assert loss == losses.as_loss(cubed) != losses.as_loss(lambda t, p: cubed(t, p))
    assert hash(loss) == hash(losses.as_loss(cubed))
    assert loss.name == "cubed"
    assert loss([1, 2], [[0.0], [0.0]], sample_weight=[1.0, 0.5]) == pytest.approx(2.5)
    assert losses.as_loss(loss) is loss


def test_a_function_loss_needs_a_function():
    with pytest.raises(TypeError, match="needs a function"):
        losses.FunctionLoss("mse")


@pytest.mark.parametrize("spelling", ["ce", "crossentropy", "CrossEntropy"])
def test_the_shapes_choose_the_crossentropy(spelling):
    assert losses.resolve(spelling, (8,), (8, 1)) == losses.BinaryCrossentropy()
    assert losses.resolve(spelling, (8,), (8,)) == losses.BinaryCrossentropy()
    assert losses.resolve(spelling, (8,), (8, 3)) == losses.SparseCategoricalCrossentropy()
    assert losses.resolve(spelling, (8, 1), (8, 3)) == losses.SparseCategoricalCrossentropy()
    assert losses.resolve(spelling, (8, 3), (8, 3)) == losses.CategoricalCrossentropy()
    assert losses.resolve("mse", (8, 3), (8, 3)) == losses.MeanSquaredError()
