"""The recorded arguments of authored classes: `get_config`, files and clones without their own."""

import copy
import pickle

import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax.layers import Dense
from fjax.losses import Loss
from fjax.metrics import Metric


class Scaled(fjax.Layer):
    def __init__(self, factor, offsets=(1.0, 2.0), **kwargs):
        super().__init__(**kwargs)
        self.factor, self.offsets = factor, offsets

    def call(self, inputs):
        return self.factor * inputs + sum(self.offsets)


class Plain(fjax.Layer):
    def __init__(self, factor=1.0):
        super().__init__(name="always")
        self.factor = factor

    def call(self, inputs):
        return self.factor * inputs


class Projected(Dense):
    def __init__(self, width=2, **kwargs):
        super().__init__(width, activation="tanh", **kwargs)


class Around(fjax.Layer):
    def __init__(self, inner, scale=2.0, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.scale = inner, scale

    def call(self, inputs):
        return self.scale * self.inner(inputs)


class Asymmetric(Loss):
    def __init__(self, ratio=2.0, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        return jnp.mean(jnp.where(error > 0, self.ratio * error, -error), axis=-1)


class Above(Metric):
    def __init__(self, threshold, name="above"):
        super().__init__(name=name)
        self.threshold = threshold
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(jnp.sum(y_pred > self.threshold))

    def result(self):
        return self.count


CLASSES = {cls.__name__: cls for cls in (Scaled, Plain, Projected, Around, Asymmetric, Above)}


def test_the_arguments_are_the_configuration():
    layer = Scaled(3.0, name="mine", trainable=False)
    assert layer.get_config() == {
        "factor": 3.0, "offsets": (1.0, 2.0), "name": "mine", "trainable": False,
    }  # fmt: skip
    assert Projected().get_config() == {"width": 2, "name": None, "trainable": True}
    assert Asymmetric(3.0, reduction="sum").get_config() == {
        "ratio": 3.0, "reduction": "sum", "name": "asymmetric", "dtype": "float32",
    }  # fmt: skip
    # Arguments that `__init__` does not take are no part of it.
    assert Plain(4.0).get_config() == {"factor": 4.0}
    assert Above(0.5).get_config() == {"threshold": 0.5, "name": "above"}


@pytest.mark.parametrize(
    "make", [lambda: Scaled(3.0), lambda: Plain(2.0), lambda: Asymmetric(4.0), lambda: Above(0.1)]
)
def test_from_config(make):
    thing = make()
    again = type(thing).from_config(thing.get_config())
    assert again.get_config() == thing.get_config()
    for duplicate in (copy.copy(thing), copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))):
        assert duplicate.get_config() == thing.get_config()


def test_what_is_set_later_is_not_recorded_but_trainable_is():
    layer = Scaled(3.0)
    layer.factor = 5.0
    layer.trainable = False
    assert layer.get_config()["factor"] == 3.0
    assert layer.get_config()["trainable"] is False


def test_an_own_get_config_gets_the_fields_of_the_base():
    class Own(Scaled):
        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    assert Own(2.0, name="own").get_config() == {"name": "own", "trainable": True, "factor": 2.0}

    class OwnMetric(Above):
        def get_config(self):
            return {**super().get_config(), "threshold": self.threshold}

    config = OwnMetric(0.25).get_config()
    assert config == {"name": "above", "threshold": 0.25}
    assert OwnMetric.from_config(config).threshold == 0.25


def test_a_model_file_and_a_clone(tmp_path):
    model = fjax.Sequential(
        [fjax.layers.Input((3,)), Scaled(3.0, (0.5,)), Projected(4), Plain(0.5), Dense(1)]
    )
    model.compile("sgd", Asymmetric(5.0), metrics=[Above(0.2)])
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3))[..., :3], np.zeros((8, 1))
    x = x[0] if x.ndim == 3 else x
    expected = model.evaluate(x, y, verbose=0)
    model.save(tmp_path / "model.fjax")
    loaded = fjax.models.load_model(tmp_path / "model.fjax", custom_objects=CLASSES)
    assert loaded.evaluate(x, y, verbose=0) == expected
    clone = fjax.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(x, verbose=0), model.predict(x, verbose=0))
    json = fjax.models.model_from_json(model.to_json(), custom_objects=CLASSES)
    json.set_weights(model.get_weights())
    np.testing.assert_array_equal(json.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: Around(Dense(2)), "inner"),
        (lambda: Scaled(np.ones(3)), "factor"),
        (lambda: Scaled(1.0, offsets=[jnp.ones(3)]), "offsets"),
    ],
)
def test_an_argument_that_is_not_plain(make, argument, tmp_path):
    layer = make()
    with pytest.raises(TypeError, match=rf"its argument `{argument}` is not plain.*`get_config"):
        layer.get_config()
    model = fjax.Sequential([fjax.layers.Input((3,)), layer])
    assert model.predict(np.ones((2, 3)), verbose=0).shape[0] == 2
    with pytest.raises(TypeError, match=rf"its argument `{argument}` is not plain"):
        model.save(tmp_path / "model.fjax")


def test_arguments_without_names():
    class Several(fjax.Layer):
        def __init__(self, *sizes):
            super().__init__()
            self.sizes = sizes

        def call(self, inputs):
            return inputs

    assert Several().get_config() == {}
    with pytest.raises(TypeError, match=r"its argument `sizes`.*or has no name"):
        Several(1, 2).get_config()
