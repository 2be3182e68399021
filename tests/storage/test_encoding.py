"""Configured objects as plain data and back: every class, and everything that is wrong."""

import inspect
import json
import math

import jax
import jax.numpy as jnp
import pytest

import fjax
from fjax import initializers, layers, losses, metrics, optimizers
from fjax.configuration import Configured
from fjax.core import branch, repeat, residual, serial
from fjax.storage import decode, encode, register_serializable
from fjax.storage.classes import CLASSES
from fjax.storage.functions import FUNCTIONS
from fjax.storage.strict_json import dumped, parsed
from tests.layers.catalogue import CATALOGUE


def again(value, **custom):
    return decode(parsed(dumped(encode(value))), custom)


def test_every_layer_comes_back_equal():
    for entry in CATALOGUE:
        assert again(entry.layer) == entry.layer, entry.label


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_is_what_it_is_called(name):
    family, _, own = name.partition(".")
    assert CLASSES[name].__name__ == own
    assert f"fjax.{family}" in CLASSES[name].__module__ or family in ("layers", "schedules")


def made_by_users():
    """The classes of fjax that a user makes objects of."""
    rooms = [layers, initializers, losses, metrics, optimizers, optimizers.schedules]
    rooms += [fjax.regularizers, fjax.constraints]
    bases = {
        fjax.Layer, fjax.Loss, fjax.Metric, fjax.Optimizer, fjax.Initializer, fjax.Regularizer,
        fjax.constraints.Constraint, optimizers.schedules.LearningRateSchedule, Configured,
    }  # fmt: skip
    found = {thing for room in rooms for thing in vars(room).values() if inspect.isclass(thing)}
    return {cls for cls in found if issubclass(cls, Configured)} - bases


def test_every_public_class_is_in_the_table():
    assert made_by_users() - set(CLASSES.values()) == set()


VALUES = [
    None, True, 3, 0.1, "relu", [1, [2]], (1, (2, None)), {"a": (1,), "b": {}},
    (math.inf, -math.inf),
    jax.nn.relu, jnp.tanh, fjax.activations.gelu, initializers.HeNormal(seed=3),
    optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 10, 0.5), clipnorm=1.0),
    losses.Huber(delta=0.5, reduction="sum"), metrics.AUC(curve="PR"),
    fjax.regularizers.L1L2(0.1, 0.2), fjax.constraints.MaxNorm(2.0),
    serial(layers.Dense(3, "relu", kernel_regularizer="l2"), jax.nn.relu),
    residual(layers.Dense(3)),
    branch(layers.Flatten(), serial(name="empty")), repeat(layers.Dense(4, trainable=False), 3),
    layers.Bidirectional(layers.LSTM(3)), layers.RNN(layers.StackedRNNCells([layers.GRUCell(2)])),
    layers.StringLookup(vocabulary=["a", "ü\n\""]),
]  # fmt: skip


@pytest.mark.short
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_come_back(value):
    assert again(value) == value


def test_not_a_number_comes_back():
    assert math.isnan(again({"a": math.nan})["a"])


@register_serializable("Tests")
class Scaled(fjax.Layer):
    """A user's class of fields."""

    factor: float = 1.0

    def call(self, inputs):
        return inputs * self.factor


class Stack(fjax.Layer):
    """A user's class with an `__init__` of its own."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units
        self.parts = [layers.Dense(unit) for unit in units]

    def get_config(self):
        return {**super().get_config(), "units": self.units}

    def call(self, inputs):
        for part in self.parts:
            inputs = part(inputs)
        return inputs


@register_serializable("Tests")
def doubled(values):
    return 2 * values


def test_what_users_wrote_is_found_by_name():
    network = serial(Scaled(3.0), layers.Dense(2, activation=doubled))
    assert again(network) == network
    assert encode(Scaled(3.0))["custom"] == "Tests>Scaled"
    stack = again(Stack([2, 3], name="mine"), Stack=Stack)
    assert (stack.units, stack.name) == ([2, 3], "mine")


def test_a_custom_name_never_shadows():
    class Dense(fjax.Layer):
        """It has the name of one of ours."""

    assert (
        type(decode(encode(layers.Dense(2)), {"Dense": Dense, "layers.Dense": Dense}))
        is layers.Dense
    )


def unnamed():
    return fjax.Layer.from_functions(lambda key, spec: ({}, {}), doubled)


class Forgetful(fjax.Layer):
    def __init__(self, units):
        super().__init__()


NOT_TOLD = {
    "lambda": (lambda: serial(lambda x: x), "is a function without a name"),
    "pair of lambdas": (unnamed, "`Pair`: `init_function` is a function without a name"),
    "argument left out": (lambda: Forgetful(3), "`Forgetful` cannot be made again .* 'units'"),
    "key": (lambda: {1: 2}, "has the key 1: a model file holds strings"),
    "set": (lambda: {"a": {1}}, r"the value\['a'\] is \{1\} of type `set`"),
}


@pytest.mark.parametrize("case", NOT_TOLD)
def test_what_cannot_be_told(case):
    make, message = NOT_TOLD[case]
    with pytest.raises(TypeError, match=message):
        encode(make())


def with_config(**changes):
    told = encode(layers.Dense(3))
    return {**told, "config": {**told["config"], **changes}}


def without(key):
    told = with_config()
    del told["config"][key]
    return told


NOT_READ = {
    "unknown class": ({"class": "layers.Dens", "config": {}}, "'layers.Dens'.* `layers.Dense`"),
    "path of a class": ({"class": "os.system", "config": {}}, "no class 'os.system'"),
    "unknown function": ({"function": "activations.rleu"}, "no function .*`activations.relu`"),
    "not registered": ({"custom": "Nobody>Knows", "config": {}}, "custom class 'Nobody>Knows'"),
    "function for a class": ({"custom": "Tests>doubled", "config": {}}, "must be a class"),
    "class for a function": ({"custom_function": "Tests>Scaled"}, "must be a function"),
    "unknown argument": (with_config(unit=3), "no argument 'unit'.* `units`"),
    "missing argument": (without("units"), "described without `units`"),
    "type of an argument": (with_config(use_bias="yes"), "`use_bias` must be of type .*bool"),
    "value of an argument": (with_config(units=-1), "`units` must be an integer of at least 1"),
    "unknown keys": ({"clas": "x"}, "an object has the keys 'clas'"),
    "config no object": ({"class": "layers.Dense", "config": []}, "expected an object"),
    "tuple no list": ({"tuple": 3}, "expected a list"),
    "float": ({"float": "one"}, "'one' is no number"),
    "file of a vocabulary": (
        {"class": "layers.StringLookup", "config": {
            **encode(layers.StringLookup())["config"], "vocabulary": "/etc/passwd"}},
        "file name '/etc/passwd', which only a constructor reads",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_READ)
def test_what_cannot_be_read(case):
    data, message = NOT_READ[case]
    with pytest.raises(ValueError, match=message):
        decode(json.loads(json.dumps(data)))


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="the name 'Tests>doubled' is taken"):

        @register_serializable("Tests", "doubled")
        def other(values):
            return values

    with pytest.raises(ValueError, match="non-empty strings without '>'"):
        register_serializable("a>b")


def test_functions_have_one_name():
    assert len({id(function) for function in FUNCTIONS.values()}) == len(FUNCTIONS)
