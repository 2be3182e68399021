"""Models whose `__init__` makes weights of their own."""

import copy
import pickle

import numpy as np
import pytest

import fjax
from fjax import Model, Sequential
from fjax.layers import Dense, Input
from fjax.models import clone_model, load_model
from tests.authoring.example_init_layers import Counting, Linear
from tests.authoring.example_layers import X


class Scaled(Model):
    """A model with weights of its own."""

    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = Linear(units)
        self.gain = self.add_weight((units,), "ones", regularizer="l2", constraint="non_neg")
        self.seen = self.add_weight((), "zeros", trainable=False)

    def call(self, inputs):
        self.seen = self.seen + 1
        return self.hidden(inputs) * self.gain

    def get_config(self):
        return {"units": self.units}


def test_order_summary_and_freezing():
    model = Scaled(seed=0)
    model.build((None, 3))
    assert [w.shape for w in model.get_weights()] == [(2,), (), (3, 2), (2,)]
    assert [view.name for view in model.layers] == ["hidden"]
    lines = []
    model.summary(print_fn=lines.append)
    assert "Total params: 11 " in lines[0] and "Non-trainable params: 1 " in lines[0]
    model.get_layer("hidden").trainable = False
    before = model.get_weights()
    model.compile("sgd", "mse")
    model.fit(np.asarray(X), np.ones((4, 2)), verbose=0)
    changed = [not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True)]
    assert changed == [True, True, False, False]


def test_penalty_and_constraint_in_training():
    model = Scaled(seed=0)
    model.compile(fjax.optimizers.SGD(1e3), "mse")
    model.fit(np.asarray(X), np.ones((4, 2)), verbose=0)
    assert float(model.train_state.state["penalty"]["weights"]) > 0
    assert model.get_weights()[0].min() >= 0


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_copies_have_the_same_weights(copied):
    model = Scaled(seed=0)
    model.build((None, 3))
    twin = copied(model)
    for one, other in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    twin.set_weights([w + 1 for w in twin.get_weights()])
    assert model.get_weights()[0][0] == 1


def test_clones_have_new_weights():
    model = Scaled(seed=0)
    model.build((None, 3))
    twin = clone_model(model)
    assert [w.shape for w in twin.get_weights()] == [w.shape for w in model.get_weights()]


@pytest.mark.parametrize(
    "make", [lambda: Scaled(seed=0), lambda: Sequential([Input((3,)), Counting(2)], seed=0)]
)
def test_files_bring_the_weights_back(make, tmp_path):
    model = make()
    model.compile("sgd", "mse")
    model.fit(np.asarray(X), np.ones((4, 2)), verbose=0)
    model.save(tmp_path / "model.fjax")
    again = load_model(
        tmp_path / "model.fjax", custom_objects={"Scaled": Scaled, "Counting": Counting}
    )
    np.testing.assert_array_equal(again(X), model(X))
    model.save_weights(tmp_path / "weights.fjax")
    other = make()
    other.build((None, 3))
    other.load_weights(tmp_path / "weights.fjax")
    np.testing.assert_array_equal(other(X), model(X))


def test_a_model_within_a_model():
    class Outer(Model):
        def __init__(self, inner):
            super().__init__()
            self.inner, self.scale = inner, self.add_weight((), "ones")

        def call(self, inputs):
            return self.inner(inputs) * self.scale * self.inner.gain[0]

    inner = Scaled(name="inner", seed=0)
    model = Outer(inner)
    model.build((None, 3))
    inner.build((None, 3))
    inner.set_weights([2 * w for w in inner.get_weights()])
    np.testing.assert_allclose(model(X), 2 * inner(X), rtol=1e-6)


@pytest.mark.parametrize("name", ["weights", "history", "optimizer"])
def test_a_name_that_the_model_has_itself_is_an_error(name):
    class Named(Model):
        def __init__(self):
            super().__init__()
            setattr(self, name, self.add_weight(()))

        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match=f"`{name}` is an attribute of `Model`"):
        Named()


def test_a_model_of_layers_has_no_weights_of_its_own():
    model = Sequential([Input((3,)), Dense(1)])
    with pytest.raises(RuntimeError, match="works only in a class that defines `call`"):
        model.add_weight((3,))


def test_a_built_model_takes_no_more_weights():
    model = Scaled(seed=0)
    with pytest.raises(RuntimeError, match="`Scaled`: `add_weight` was called outside of"):
        model.add_weight((3,))
