import copy
import pickle
import subprocess
import sys
import warnings
from dataclasses import field

import numpy as np
import pytest

from fjax.configuration import Configured, plain, snake_case

pytestmark = pytest.mark.short


class Scale(Configured):
    factor: float = 1.0
    name: str | None = None


class Shifted(Scale):
    offset: float = 0.0


class Sized(Configured):
    units: int
    activation: object = None
    parts: object = ()

    def __post_init__(self):
        object.__setattr__(self, "units", int(self.units))


class Renamed(Configured):
    _renamed = {"lr": "learning_rate"}  # noqa: RUF012

    learning_rate: float = 0.1


class Hidden(Scale):
    factor: float = field(default=3.0, init=False)


class Authored(Configured):
    def __init__(self, units):
        self.units = units


class Descendant(Authored):
    units: int = 7


def relu(x):
    return x


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dense", "dense"),
        ("BatchNormalization", "batch_normalization"),
        ("Conv2D", "conv2d"),
        ("Conv2DTranspose", "conv2d_transpose"),
        ("GlobalAveragePooling1D", "global_average_pooling1d"),
        ("AUC", "auc"),
        ("PReLU", "p_re_lu"),
        ("LSTMCell", "lstm_cell"),
        ("already_snake", "already_snake"),
        ("", ""),
    ],
)
def test_snake_case(name, expected):
    assert snake_case(name) == expected


def test_fields_are_set_by_position_by_name_and_by_default():
    assert Scale(2.0, "a") == Scale(name="a", factor=2.0)
    assert Scale().factor == 1.0
    assert Shifted(2.0, "a", 1.0).offset == 1.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Scale(), "Scale()"),
        (Scale(2.0), "Scale(factor=2.0)"),
        (Scale(1), "Scale(factor=1)"),
        (Shifted(name="a", offset=2.0), "Shifted(name='a', offset=2.0)"),
        (Sized(3), "Sized(units=3)"),
        (Sized(3, relu), "Sized(units=3, activation=relu)"),
        (Sized(3, Scale(2.0)), "Sized(units=3, activation=Scale(factor=2.0))"),
        (Sized(3, parts=(relu,)), "Sized(units=3, parts=(relu,))"),
        (Sized(3, parts=[Scale(), 1]), "Sized(units=3, parts=[Scale(), 1])"),
        (Hidden(), "Hidden()"),
        (Authored(3), "Authored()"),
    ],
)
def test_repr_shows_what_differs_from_the_defaults(value, expected):
    assert repr(value) == expected


@pytest.mark.parametrize(
    "value", [Scale(2.0), Shifted(1.0, "a", 2.0), Sized(3, parts=[1, (2, 3)]), Hidden("b")]
)
def test_from_config_returns_an_equal_object(value):
    copied = type(value).from_config(value.get_config())
    assert copied == value
    assert hash(copied) == hash(value)


def test_config_is_plain_data():
    value = Sized(3, relu, {"a": (Scale(2.0), np.float32(1.5)), "b": None})
    assert value.get_config() == {
        "units": 3,
        "activation": "relu",
        "parts": {
            "a": ({"class_name": "Scale", "config": {"factor": 2.0, "name": None}}, 1.5),
            "b": None,
        },
    }


def test_config_omits_fields_that_the_constructor_does_not_accept():
    assert Hidden("b").get_config() == {"name": "b"}
    assert Hidden("b").factor == 3.0
    with pytest.raises(TypeError, match="`Hidden` takes no argument `factor`"):
        Hidden(factor=1.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.bool_(True), True),
        ((1, [2, (3,)]), (1, [2, (3,)])),
        (Scale, "Scale"),
        ("a", "a"),
    ],
)
def test_plain_data_of_values(value, expected):
    result = plain(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Scale(1), Scale(1.0)),
        (Scale(1), Scale(True)),
        (Scale(1.0), Shifted(1.0)),
        (Scale(1.0), Scale(2.0)),
        (Sized(1, parts={"a": 1}), Sized(1, parts={"a": True})),
        (Sized(1, parts=[1, 2]), Sized(1, parts=[2, 1])),
        (Authored(1), Authored(1)),
        (Scale(), "Scale()"),
    ],
)
def test_objects_with_different_programs_are_not_equal(first, second):
    assert first != second


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Sized(1, parts=[1, [2]]), Sized(1, parts=(1, (2,)))),
        (Sized(1, parts={"a": 1, "b": 2}), Sized(1, parts={"b": 2, "a": 1})),
        (Sized(1, relu, Scale(2.0)), Sized(1, relu, Scale(2.0))),
    ],
)
def test_objects_with_the_same_values_are_equal(first, second):
    assert first == second
    assert hash(first) == hash(second)
    assert len({first, second}) == 1


def test_an_object_cannot_be_changed_once_it_is_made():
    value = Scale(2.0)
    with pytest.raises(AttributeError, match=r"`Scale` cannot be changed .* `factor` was set to 3"):
        value.factor = 3
    with pytest.raises(AttributeError, match="`fresh` was set to 1"):
        value.fresh = 1
    assert value.factor == 2.0


@pytest.mark.parametrize(
    "make_copy", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_copies_are_equal_and_cannot_be_changed(make_copy):
    value = make_copy(Scale(2.0))
    assert value == Scale(2.0)
    with pytest.raises(AttributeError):
        value.factor = 3.0


def test_post_init_may_normalize_fields():
    assert Sized(3.0) == Sized(3)


def test_the_error_for_a_misspelled_keyword_suggests_the_right_one():
    with pytest.raises(
        TypeError, match=r"`Scale` takes no argument `factr`. Did you mean `factor`\?"
    ):
        Scale(factr=1.0)


def test_the_error_names_a_missing_argument():
    with pytest.raises(TypeError, match="made without `units`, which it needs"):
        Sized()


def test_a_former_name_works_with_a_warning():
    with pytest.warns(
        DeprecationWarning, match=r"`Renamed\(lr=…\)` is an older spelling"
    ) as record:
        value = Renamed(lr=0.5)
    assert value == Renamed(0.5)
    assert record[0].filename == __file__


def test_the_present_name_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Renamed(learning_rate=0.5)


def test_attributes_of_an_authored_object_can_be_set():
    value = Authored(3)
    value.units = 4
    assert value == value
    assert value.get_config() == {"units": 3}
    assert len({value, Authored(4)}) == 2


def test_a_subclass_of_an_authored_class_is_authored():
    assert Descendant(3).units == 3
    assert Descendant(3) != Descendant(3)


def test_an_authored_class_may_call_the_inherited_constructor():
    class Layer(Scale):
        def __init__(self, units):
            super().__init__(name="a")
            self.units = units

    assert (Layer(3).units, Layer(3).name) == (3, "a")


def test_reading_the_annotations_of_a_class_does_not_change_it():
    program = """
from fjax import layers, serial
from fjax.configuration import cache_key
network = serial(layers.Dense(1))
assert cache_key(network) is not None
type(network).__annotations__
assert cache_key(network) is not None
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
