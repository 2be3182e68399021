"""Configured objects as plain data and back: every class, and every kind of invalid data."""

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
from fjax.storage.strict_json import dump_json, parse_json
from tests.layers.catalogue import CATALOGUE


def round_trip(value, **custom):
    return decode(parse_json(dump_json(encode(value))), custom)


def test_every_layer_survives_a_round_trip():
    for entry in CATALOGUE:
        assert round_trip(entry.layer) == entry.layer, entry.label


@pytest.mark.parametrize("name", CLASSES)
def test_every_name_fits_its_class(name):
    family, _, class_name = name.partition(".")
    assert CLASSES[name].__name__ == class_name
    assert f"fjax.{family}" in CLASSES[name].__module__ or family in ("layers", "schedules")


def concrete_public_classes():
    packages = [layers, initializers, losses, metrics, optimizers, optimizers.schedules]
    packages += [fjax.regularizers, fjax.constraints]
    bases = {
        fjax.Layer, fjax.Loss, fjax.Metric, fjax.Optimizer, fjax.Initializer, fjax.Regularizer,
        fjax.constraints.Constraint, optimizers.schedules.LearningRateSchedule, Configured,
    }  # fmt: skip
    members = (member for package in packages for member in vars(package).values())
    classes = {member for member in members if inspect.isclass(member)}
    return {cls for cls in classes if issubclass(cls, Configured)} - bases


def test_every_public_class_is_in_the_table():
    assert concrete_public_classes() - set(CLASSES.values()) == set()


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
def test_values_survive_a_round_trip(value):
    assert round_trip(value) == value


def test_nan_survives_a_round_trip():
    assert math.isnan(round_trip({"a": math.nan})["a"])


@register_serializable("Tests")
class Scaled(fjax.Layer):
    """A user's class with fields."""

    factor: float = 1.0

    def call(self, inputs):
        return inputs * self.factor


class Stack(fjax.Layer):
    """A user's class with `__init__`."""

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


def test_user_classes_and_functions_are_found_by_name():
    network = serial(Scaled(3.0), layers.Dense(2, activation=doubled))
    assert round_trip(network) == network
    assert encode(Scaled(3.0))["custom"] == "Tests>Scaled"
    stack = round_trip(Stack([2, 3], name="mine"), Stack=Stack)
    assert (stack.units, stack.name) == ([2, 3], "mine")


def test_a_user_class_never_replaces_an_fjax_class():
    class Dense(fjax.Layer):
        """It has the name of an fjax class."""

    assert (
        type(decode(encode(layers.Dense(2)), {"Dense": Dense, "layers.Dense": Dense}))
        is layers.Dense
    )


def pair_of_lambdas():
    return fjax.Layer.from_functions(lambda key, spec: ({}, {}), doubled)


class Forgetful(fjax.Layer):
    def __init__(self, units):
        super().__init__()

    def get_config(self):
        return super().get_config()


NOT_ENCODABLE = {
    "lambda": (lambda: serial(lambda x: x), "is a function without a name"),
    "pair of lambdas": (pair_of_lambdas, "`Pair`: `init_function` is a function without a name"),
    "argument left out": (lambda: Forgetful(3), "`Forgetful` cannot be created again .* 'units'"),
    "key": (lambda: {1: 2}, "has the key 1: the keys in a model file must be strings"),
    "set": (lambda: {"a": {1}}, r"the value\['a'\] is \{1\} of type `set`"),
}


@pytest.mark.parametrize("case", NOT_ENCODABLE)
def test_what_has_no_name_cannot_be_encoded(case):
    make, message = NOT_ENCODABLE[case]
    with pytest.raises(TypeError, match=message):
        encode(make())


def dense_with(**changes):
    data = encode(layers.Dense(3))
    return {**data, "config": {**data["config"], **changes}}


def dense_without(key):
    data = dense_with()
    del data["config"][key]
    return data


NOT_DECODABLE = {
    "unknown class": ({"class": "layers.Dens", "config": {}}, "'layers.Dens'.* `layers.Dense`"),
    "path of a class": ({"class": "os.system", "config": {}}, "no class 'os.system'"),
    "unknown function": ({"function": "activations.rleu"}, "no function .*`activations.relu`"),
    "not registered": ({"custom": "Nobody>Knows", "config": {}}, "custom class 'Nobody>Knows'"),
    "function for a class": ({"custom": "Tests>doubled", "config": {}}, "must be a class"),
    "class for a function": ({"custom_function": "Tests>Scaled"}, "must be a function"),
    "unknown argument": (dense_with(unit=3), "no argument 'unit'.* `units`"),
    "missing argument": (dense_without("units"), "lacks the required argument `units`"),
    "type of an argument": (dense_with(use_bias="yes"), "`use_bias` must be of type .*bool"),
    "value of an argument": (dense_with(units=-1), "`units` must be an integer of at least 1"),
    "unknown keys": ({"clas": "x"}, "unrecognized object with the keys 'clas'"),
    "config that is not an object": ({"class": "layers.Dense", "config": []}, "expected an object"),
    "tuple that is not a list": ({"tuple": 3}, "expected a list"),
    "float": ({"float": "one"}, "'one' must be one of 'nan'"),
    "file of a vocabulary": (
        {"class": "layers.StringLookup", "config": {
            **encode(layers.StringLookup())["config"], "vocabulary": "/etc/passwd"}},
        "file name '/etc/passwd', which only the constructor reads",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_DECODABLE)
def test_invalid_data_is_refused(case):
    data, message = NOT_DECODABLE[case]
    with pytest.raises(ValueError, match=message):
        decode(json.loads(json.dumps(data)))


def test_a_name_can_be_registered_only_once():
    with pytest.raises(ValueError, match="the name 'Tests>doubled' is already registered"):

        @register_serializable("Tests", "doubled")
        def other(values):
            return values

    with pytest.raises(ValueError, match="non-empty strings without '>'"):
        register_serializable("a>b")


def test_every_function_has_one_name():
    assert len({id(function) for function in FUNCTIONS.values()}) == len(FUNCTIONS)
