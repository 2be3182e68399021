import copy
import pickle
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


def test_fields_come_by_position_by_name_and_by_default():
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
def test_config_makes_an_equal_object(value):
    again = type(value).from_config(value.get_config())
    assert again == value
    assert hash(again) == hash(value)


def test_config_is_plain_data():
    value = Sized(3, relu, {"a": (Scale(2.0), np.float32(1.5)), "b": None})
    assert value.get_config() == {
        "units": 3,
        "activation": "relu",
        "parts": {
            "a": [{"class_name": "Scale", "config": {"factor": 2.0, "name": None}}, 1.5],
            "b": None,
        },
    }


def test_config_leaves_out_what_the_constructor_does_not_take():
    assert Hidden("b").get_config() == {"name": "b"}
    assert Hidden("b").factor == 3.0
    with pytest.raises(TypeError, match="`Hidden` takes no argument `factor`"):
        Hidden(factor=1.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(np.int64(3), 3), (np.bool_(True), True), ((1, (2,)), [1, [2]]), (Scale, "Scale"), ("a", "a")],
)
def test_plain(value, expected):
    result = plain(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("one", "other"),
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
def test_what_leads_to_other_programs_is_not_equal(one, other):
    assert one != other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Sized(1, parts=[1, [2]]), Sized(1, parts=(1, (2,)))),
        (Sized(1, parts={"a": 1, "b": 2}), Sized(1, parts={"b": 2, "a": 1})),
        (Sized(1, relu, Scale(2.0)), Sized(1, relu, Scale(2.0))),
    ],
)
def test_what_says_the_same_is_equal(one, other):
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1


def test_an_object_is_sealed_once_made():
    value = Scale(2.0)
    with pytest.raises(AttributeError, match=r"`Scale` cannot be changed .* `factor` was set to 3"):
        value.factor = 3
    with pytest.raises(AttributeError, match="`fresh` was set to 1"):
        value.fresh = 1
    assert value.factor == 2.0


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_copies_are_equal_and_sealed_too(again):
    value = again(Scale(2.0))
    assert value == Scale(2.0)
    with pytest.raises(AttributeError):
        value.factor = 3.0


def test_post_init_may_normalize():
    assert Sized(3.0) == Sized(3)


def test_a_misspelt_keyword_is_answered():
    with pytest.raises(
        TypeError, match=r"`Scale` takes no argument `factr`. Did you mean `factor`\?"
    ):
        Scale(factr=1.0)


def test_a_missing_argument_is_named():
    with pytest.raises(TypeError, match="made without `units`, which it needs"):
        Sized()


def test_an_older_spelling_works_with_a_warning():
    with pytest.warns(
        DeprecationWarning, match=r"`Renamed\(lr=…\)` is an older spelling"
    ) as record:
        value = Renamed(lr=0.5)
    assert value == Renamed(0.5)
    assert record[0].filename == __file__


def test_the_new_spelling_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Renamed(learning_rate=0.5)


def test_an_authored_object_may_set_what_it_likes():
    value = Authored(3)
    value.units = 4
    assert value == value
    assert value.get_config() == {}
    assert len({value, Authored(4)}) == 2


def test_a_subclass_of_an_authored_class_is_authored():
    assert Descendant(3).units == 3
    assert Descendant(3) != Descendant(3)


def test_an_authored_class_may_call_the_constructor_it_inherits():
    class Layer(Scale):
        def __init__(self, units):
            super().__init__(name="a")
            self.units = units

    assert (Layer(3).units, Layer(3).name) == (3, "a")
