"""A mistake in an authored class raises one clear error."""

import jax.numpy as jnp
import numpy as np
import pytest

from fjax import Layer
from fjax.layers import Dense
from tests.authoring.example_layers import KEY, X, built, layer_of


def assign_in_call(name, value):
    def call(self, inputs):
        setattr(self, name, value(self))
        return inputs

    return call


def add_w(shape=(3,), initializer="ones", **options):
    """Return a function that makes a weight `w` of a layer."""

    def add(self):
        self.w = self.add_weight(shape, initializer, **options)

    return add


def add_two_of_one_name(self):
    self.v = self.add_weight((3,), name="w")
    self.w = self.add_weight((3,))


def add_two_of_one_given_name(self):
    self.v = self.add_weight((3,), name="x")
    self.w = self.add_weight((3,), name="x")


def add_layer_of_that_name(self):
    self.w = Dense(3, name="taken")
    self.v = self.add_weight((3,), name="taken")


add_state = add_w(trainable=False)
add_counter = add_w((), None, dtype="int32", trainable=False)

# For each mistake with a weight: what makes the weight, what `call` does, the error and its words.
WEIGHT_MISTAKES = {
    "one name": (add_two_of_one_name, None, ValueError, "two weights are named 'w'"),
    "one given name": (add_two_of_one_given_name, None, ValueError, "two weights are named 'x'"),
    "a layer's name": (
        add_layer_of_that_name, None, ValueError, "a weight and a sublayer are both named 'taken'"
    ),
    "penalty": (add_w(name="penalty"), None, ValueError, "name 'penalty' is reserved"),
    "slash": (add_w(name="a/b"), None, ValueError, "without '/'"),
    "empty name": (add_w(name=""), None, ValueError, "a non-empty str"),
    "no shape": (
        add_w(None), None, ValueError, r"`shape` must be an int or a tuple of ints, received None"
    ),
    "None in the shape": (
        add_w((None, 3)), None, ValueError, r"`shape` must be .* received \(None, 3\)"
    ),
    "negative": (add_w((3, -1)), None, ValueError, r"`shape\[1\]` .* received -1"),
    "half": (add_w((2.5,)), None, ValueError, r"`shape\[0\]` .* received 2.5"),
    "initializer": (add_w(initializer="zeroes"), None, ValueError, "Did you mean `zeros`"),
    "regularizer": (
        add_w(regularizer=lambda w: w), None, ValueError, "must return one number"
    ),
    "trainable": (
        add_w(), assign_in_call("w", lambda self: self.w + 1), ValueError,
        "`call` set the trainable weight 'w'",
    ),
    "state's shape": (
        add_state, assign_in_call("w", lambda self: self.w[:2]), ValueError,
        r"'w' to \(2,\) float32, which must stay \(3,\) float32",
    ),
    "state's dtype": (
        add_counter, assign_in_call("w", lambda self: self.w + 0.5), ValueError,
        r"must stay \(\) int32",
    ),
    "state is gone": (
        add_counter, assign_in_call("w", lambda self: None), TypeError,
        "'w' to None of type `NoneType`. It must stay an array",
    ),
}  # fmt: skip


@pytest.mark.parametrize("where", ["init", "build"])
@pytest.mark.parametrize("name", WEIGHT_MISTAKES)
def test_a_wrong_weight_is_one_clear_error(name, where):
    make_weight, call, kind, message = WEIGHT_MISTAKES[name]
    with pytest.raises(kind, match=message):
        layer_of(**{where: make_weight, "call": call}).init(KEY, X)


MISTAKES = {
    "constraint": (
        lambda: layer_of(add_w(constraint="non_neg")), ValueError,
        "`self.w_constraint = fjax.constraints.get.* in `__init__`.*override",
    ),
    "layer in call": (
        lambda: layer_of(call=lambda self, x: Dense(3)(x)), TypeError,
        "make it in `__init__` or `build`, not in `call`",
    ),
    "itself": (
        lambda: layer_of(init=lambda self: setattr(self, "x", self)), ValueError,
        "cannot contain itself: Made > Made",
    ),
    "itself in a list": (
        lambda: layer_of(init=lambda self: setattr(self, "x", [{"a": self}])), ValueError,
        "cannot contain itself",
    ),
    "loss": (
        lambda: layer_of(call=lambda self, x: self.add_loss(x) or x), ValueError,
        r"takes one number, received the shape \(4, 3\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_clear_error(name):
    make, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message):
        make().init(KEY, X)


def test_assigning_a_trainable_weight_is_explained():
    layer = layer_of(add_w(), lambda self, x: setattr(self, "w", self.w + 1) or x)
    with pytest.raises(
        ValueError, match=r"set the trainable weight 'w', which only the opt.*assign"
    ):
        built(layer)


def test_an_assigned_value_has_the_shape_of_the_weight():
    layer = layer_of(add_state, lambda self, x: self.w.assign(self.w[:2]))
    with pytest.raises(ValueError, match=r"the weight 'w' has the shape \(3,\), received .*\(2,\)"):
        built(layer)


def test_a_layer_without_call_and_apply_is_an_error():
    class Nothing(Layer):
        def build(self, input_shape):
            pass

    with pytest.raises(NotImplementedError, match="defines neither `call"):
        Nothing().apply({}, {}, X)


def test_a_build_that_makes_other_weights_each_time_is_an_error():
    made = []

    def grows(self):
        made.append(1)
        for number in range(len(made)):
            setattr(self, f"w{number}", self.add_weight((3,), name=f"w{number}"))

    def shrinks(self):
        made.append(1)
        for number in range(4 - len(made)):
            setattr(self, f"w{number}", self.add_weight((3,), name=f"w{number}"))

    for build, message in ((grows, "'w1' is not in the layer's params"), (shrinks, "did not make")):
        made.clear()
        layer = layer_of(build)
        params, state = built(layer)
        with pytest.raises(ValueError, match=f"{message}.*the same weights each"):
            layer.apply(params, state, X)


def test_a_loss_in_only_some_passes_is_an_error():
    charges = []

    def call(self, x):
        for charge in charges:
            self.add_loss(charge)
        return x

    layer = layer_of(call=call)
    params, state = built(layer)
    charges.append(1.0)
    with pytest.raises(ValueError, match="`add_loss` was called in a branch that was not taken"):
        layer.apply(params, state, X)


@pytest.mark.parametrize("value", [np.ones(3), jnp.ones(3), {1, 2}, [np.ones(2)]], ids=type)
def test_a_field_that_is_not_a_plain_value_is_an_error(value):
    class Fields(Layer):
        scale: object = None

        def call(self, inputs):
            return inputs

    with pytest.raises(TypeError, match=r"field `scale` holds a .* Make it a weight .* or a tuple"):
        built(Fields(value))


def test_a_weight_in_two_attributes_with_different_values_is_an_error():
    def build(self):
        self.a = self.b = self.add_weight((), "zeros", trainable=False, name="a")

    def parted(self, inputs):
        self.a, self.b = self.a + 1, self.b + 2
        return inputs

    with pytest.raises(ValueError, match="is in several attributes"):
        built(layer_of(build, parted))
    layer = layer_of(build, assign_in_call("b", lambda self: self.b + 2))
    params, state = built(layer)
    assert float(layer.apply(params, state, X)[1]["a"]) == 2


@pytest.mark.parametrize("value", [None, "hi", 3.0])
def test_outputs_and_losses_that_are_not_arrays_are_errors(value):
    layer = layer_of(lambda self: None, lambda self, x: value)
    with pytest.raises(TypeError, match=r"call` must return an array, .* it returned"):
        built(layer)
    with pytest.raises(TypeError, match="`add_loss` takes one number, received 'a'"):
        built(layer_of(lambda self: None, lambda self, x: self.add_loss("a") or x))
