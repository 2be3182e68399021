"""Weights that `__init__` makes; `tests/parity/test_weights_made_in_init.py` has Keras as judge."""

import copy
import inspect
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Layer, Sequential, repeat, serial
from fjax.core import apply_trainable_flags, penalty
from fjax.layers import Dense, Input
from tests.authoring.example_init_layers import Counting, Linear
from tests.authoring.example_layers import KEY, X, built, close, layer_of


def names(tree):
    return list(tree)


def test_the_pair_has_the_weights_in_the_order_in_which_they_are_made():
    params, state = built(Counting())
    assert names(params) == ["w", "b", "scale"]
    assert names(state) == ["count"]
    assert [weight.shape for weight in params.values()] == [(3, 2), (2,), (3,)]
    outputs, after = Counting().apply(params, state, X)
    close(outputs, X @ params["w"])
    assert int(after["count"]) == 1


def test_names_are_those_of_attributes_and_given_ones():
    def init(self):
        self.pairs = [self.add_weight((2,)), {"a": self.add_weight((3,))}]
        self.other = self.add_weight((4,), name="given")
        self.add_weight((5,))
        self.add_weight((6,))

    def build(self):
        self.add_weight((7,))

    params, _ = built(layer_of(build, init=init))
    assert {name: weight.shape for name, weight in params.items()} == {
        "pairs_0": (2,),
        "pairs_1_a": (3,),
        "given": (4,),
        "variable": (5,),
        "variable_1": (6,),
        "variable_2": (7,),
    }


def test_the_object_holds_a_shape_and_a_dtype():
    layer = Linear()
    before = dict(vars(layer))
    params, state = built(layer)
    layer.apply(params, state, X)
    assert vars(layer) == before
    assert (layer.w.shape, layer.w.dtype, layer.w.ndim, layer.w.size) == ((3, 2), "float32", 2, 6)
    assert layer.w.trainable and not Counting().count.trainable
    assert repr(layer.w) == "<weight of Linear: float32, shape (3, 2)>"


@pytest.mark.parametrize(
    "use",
    [
        lambda w: w + 1,
        lambda w: X @ w,
        lambda w: np.ones(3) * w,
        lambda w: -w,
        lambda w: w[0],
        lambda w: list(w),
        lambda w: jnp.sum(w),
        lambda w: np.asarray(w),
        lambda w: bool(w),
    ],
)
def test_the_object_has_no_values(use):
    with pytest.raises(
        RuntimeError, match=r"weight of Linear.* used as an array. It has no values"
    ):
        use(Linear().w)


def test_a_weight_of_a_built_object_is_a_variable():
    layer = Linear()
    with pytest.raises(RuntimeError, match="build the layer first"):
        layer.w.numpy()
    layer(X)
    assert layer.weights[0] is layer.w
    assert layer.w.path == "linear/w"
    layer.w.assign(np.zeros((3, 2)))
    assert not layer.get_weights()[0].any()
    for twin in (copy.copy(layer), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        with pytest.raises(RuntimeError, match="build the layer first"):
            twin.w.numpy()
        twin(X)
        assert twin.w.numpy().any()
        assert not layer.w.numpy().any()


def test_a_weight_of_a_model_is_a_variable():
    class Own(fjax.Model):
        def __init__(self):
            super().__init__()
            self.w = self.add_weight((3, 2))

        def call(self, inputs):
            return inputs @ self.w

    model = Own()
    model.build((None, 3))
    twin = copy.deepcopy(model)
    np.testing.assert_array_equal(model.w.numpy(), model.get_weights()[0])
    model.w.assign(np.zeros((3, 2)))
    np.testing.assert_array_equal(model.predict(X, verbose=0), np.zeros((len(X), 2)))
    assert twin.w.numpy().any()


def test_a_function_that_reads_the_weight_in_init_is_explained():
    def init(self):
        self.w = self.add_weight((3,))
        w = self.w
        self.function = lambda x: x * w

    with pytest.raises(RuntimeError, match="Read it as an attribute of `self` in `call`"):
        built(layer_of(call=lambda self, x: self.function(x), init=init))


def test_every_transformation():
    layer = Counting()
    params, state = built(layer)
    close(jax.jit(layer.init)(KEY, X), (params, state))
    close(jax.jit(layer.apply)(params, state, X), layer.apply(params, state, X))
    gradients = jax.grad(lambda p: layer.apply(p, state, X)[0].sum())(params)
    close(gradients["b"], jnp.full(2, 4.0))
    repeated = repeat(Linear(3), 3)
    many, _ = built(repeated)
    assert many["w"].shape == (3, 3, 3)
    assert not np.allclose(many["w"][0], many["w"][1])


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda layer: pickle.loads(pickle.dumps(layer)),
        apply_trainable_flags,
        lambda layer: Counting.from_config({"units": 2}),
    ],
)
def test_copies_make_the_same_weights(copied):
    layer = Counting()
    jax.tree.map(np.testing.assert_array_equal, built(copied(layer)), built(layer))


def test_copies_with_other_sublayers_keep_the_weights():
    class Around(Layer):
        def __init__(self):
            super().__init__()
            self.inner, self.gain = Linear(3), self.add_weight((), "ones")

        def call(self, inputs):
            return self.inner(inputs) * self.gain

    layer = Around()
    twin = layer.with_children([Linear(4)])
    params, _ = built(twin)
    assert params["inner"]["w"].shape == (3, 4) and params["gain"].shape == ()
    assert built(layer)[0]["inner"]["w"].shape == (3, 3)


def test_an_inherited_init_makes_weights_for_each_class_with_a_call():
    class Base(Layer):
        def __init__(self, size=3):
            super().__init__()
            self.w = self.add_weight((size,), "ones")

    class First(Base):
        def call(self, inputs):
            return inputs * self.w

    class Second(First):
        def __init__(self):
            super().__init__()
            self.v = self.add_weight((3,), "ones")

        def call(self, inputs):
            return super().call(inputs) + self.v

    class Third(Second):
        pass

    assert [names(built(cls())[0]) for cls in (First, Second, Third)] == [
        ["w"], ["w", "v"], ["w", "v"]
    ]  # fmt: skip
    close(built(Third())[0], {"w": jnp.ones(3), "v": jnp.ones(3)})
    assert str(inspect.signature(First)) == "(size=3)"
    layer = First()
    layer.__init__(3)
    assert names(built(layer)[0]) == ["w"]
    with pytest.raises(
        RuntimeError, match="`Base`: `add_weight` works only in a class that defines"
    ):
        Base()


def test_a_layer_of_fields_makes_weights_in_post_init():
    class Fields(Layer):
        size: int = 3

        def __post_init__(self):
            super().__post_init__()
            self.w = self.add_weight((self.size,), "ones")

        def call(self, inputs):
            return inputs * self.w

    layer = Fields()
    assert layer == Fields() == copy.deepcopy(layer) != Fields(4)
    assert repr(Fields(4)) == "Fields(size=4)" and Fields(4).get_config()["size"] == 4
    params, state = built(layer)
    close(layer.apply(params, state, X)[0], X)
    with pytest.raises(RuntimeError, match="was called outside of"):
        layer.add_weight((3,))


def test_an_extended_layer_has_its_weights_after_those_of_init():
    class Gained(Dense):
        def __init__(self, units, **kwargs):
            super().__init__(units, **kwargs)
            self.gain = self.add_weight((units,), "ones")

        def call(self, inputs):
            return super().call(inputs) * self.gain

    params, state = built(Gained(2))
    assert names(params) == ["gain", "kernel", "bias"]
    close(Gained(2).apply(params, state, X)[0], Dense(2).apply(params, {}, X)[0])


def test_regularizers_and_constraints_need_no_attribute():
    def init(self):
        self.w = self.add_weight((3,), "ones", regularizer="l2", constraint="non_neg")
        self.kept = self.add_weight((3,), "ones", trainable=False, regularizer="l2")

    layer = layer_of(call=lambda self, x: x * self.w, init=init)
    params, state = built(layer)
    _, after = layer.apply(params, state, X)
    assert float(penalty(after)) == pytest.approx(0.03)
    inside = serial(layer, name="whole")
    close(layer.constrain({"w": jnp.array([-1.0, 0, 1])})["w"], jnp.array([0.0, 0, 1]))
    close(inside.constrain({"made": {"w": -jnp.ones(3)}})["made"]["w"], jnp.zeros(3))
    layer.trainable = False
    _, after = layer.apply(params, state, X)
    assert float(penalty(after)) == 0
    assert float(layer.constrain({"w": -jnp.ones(3)})["w"][0]) == -1


def test_a_constraint_that_is_also_another_attribute():
    def init(self):
        self.w_constraint = fjax.constraints.get("unit_norm")
        self.w = self.add_weight((3,), "ones", constraint="non_neg")

    with pytest.raises(ValueError, match="the constraint of the weight 'w' must be the attribute"):
        built(layer_of(init=init))


def test_a_sublayer_shows_the_weights_of_its_init_before_it_is_called():
    class Tied(Layer):
        def __init__(self):
            super().__init__()
            self.code = Linear(2)
            self.never_called = Counting()

        def call(self, inputs):
            kernel = self.code.w
            return self.code(inputs) @ kernel.T + self.never_called.w.sum()

    layer = Tied()
    params, state = built(layer)
    assert names(params["never_called"]) == ["w", "b"]
    outputs, after = layer.apply(params, state, X)
    code = params["code"]
    expected = (X @ code["w"] + code["b"]) @ code["w"].T + params["never_called"]["w"].sum()
    close(outputs, expected)
    assert int(after["never_called"]["count"]) == 0


def test_a_weight_of_another_object_is_one_clear_error():
    class Held(Layer):
        def __init__(self, weight):
            super().__init__()
            self.weight = weight

        def call(self, inputs):
            return inputs * self.weight

    with pytest.raises(ValueError, match="`weight` is a weight of another object, <weight of Lin"):
        built(Held(Linear().w))


def test_a_layer_in_two_models_has_one_set_of_weights():
    shared = Linear(3)
    one = Sequential([Input((3,)), shared, Dense(1)], seed=0)
    other = Sequential([Input((3,)), shared], seed=1)
    one.compile("sgd", "mse")
    one.fit(np.asarray(X), np.ones((4, 1)), verbose=0)
    for a, b in zip(one.layers[0].get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_new_init_of_a_reloaded_class_takes_effect():
    class Reloaded(Layer):
        def __init__(self):
            super().__init__()
            self.w = self.add_weight((3,))

        def call(self, inputs):
            return inputs * self.w

    class New(Layer):
        def __init__(self):
            Layer.__init__(self)
            self.w = self.add_weight((1,))

        def call(self, inputs):
            return inputs

    # As IPython's autoreload does it: a new code and a new dictionary for the old function.
    Reloaded.__init__.__code__ = New.__init__.__code__
    Reloaded.__init__.__dict__.update(New.__init__.__dict__)
    assert built(Reloaded())[0]["w"].shape == (1,)


def test_weights_are_variables_for_a_call_that_uses_them_so():
    class Uses(Layer):
        def build(self, input_shape):
            self.w = self.add_weight((input_shape[-1], 2), "ones")

        def call(self, inputs):
            return inputs @ self.w.value

    layer = Uses()
    params, state = built(layer)
    np.testing.assert_allclose(layer.apply(params, state, X)[0], X @ params["w"], rtol=1e-6)
    gradient = jax.grad(lambda p: layer.apply(p, state, X)[0].sum())(params)
    np.testing.assert_allclose(gradient["w"], np.repeat(X.sum(0)[:, None], 2, 1), rtol=1e-5)


def test_the_weights_of_init_are_listed_before_the_object_is_built():
    layer = Linear()
    assert layer.weights == [layer.w, layer.b]
    assert [weight.shape for weight in layer.trainable_weights] == [(3, 2), (2,)]
