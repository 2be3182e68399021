import numpy as np
import pytest

from fjax.errors import (
    check_keywords,
    explain_keywords,
    integer_at_least,
    is_integer,
    is_number,
    number_between,
    one_of,
    suggestion,
    unknown_name,
)

pytestmark = pytest.mark.short


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rleu", " Did you mean `relu`?"),
        ("RELU", " Did you mean `relu`?"),
        ("sotfmax", " Did you mean `softmax`?"),
        ("xyzzy", ""),
        ("", ""),
    ],
)
def test_suggestion(name, expected):
    assert suggestion(name, ["relu", "softmax"]) == expected


def test_suggestion_does_not_depend_on_the_order():
    assert suggestion("aab", ["aaa", "aac"]) == suggestion("aab", ["aac", "aaa"])


def test_suggestion_without_known_names():
    assert suggestion("relu", []) == ""


def test_unknown_name_lists_all_names_if_none_is_similar():
    names = ["mse", "mae"]
    assert str(unknown_name("loss", "mes", names)) == "Unknown loss 'mes'. Did you mean `mse`?"
    assert str(unknown_name("loss", "best", names)) == "Unknown loss 'best'. Known: mae, mse."


def test_suggestion_prefers_lower_case_to_upper_case():
    assert suggestion("relo", ["relu", "ReLU"]) == " Did you mean `relu`?"


def test_check_keywords():
    check_keywords("SGD", [], [])
    check_keywords("SGD", ["momentum"], ["momentum", "nesterov"])
    with pytest.raises(TypeError, match=r"`SGD` takes no argument `a`. It takes: momentum."):
        check_keywords("SGD", ["momentum", "a"], ["momentum"])


class Model:
    @explain_keywords
    def fit(self, x, epochs=1):
        """Return the arguments."""
        return x, epochs


def test_explain_keywords_passes_all_arguments():
    assert Model().fit(3) == (3, 1)
    assert Model().fit(x=3, epochs=2) == (3, 2)
    assert Model.fit.__name__ == "fit" and Model.fit.__doc__ == "Return the arguments."


def test_explain_keywords_suggests_a_similar_keyword():
    with pytest.raises(
        TypeError, match=r"`Model.fit` takes no argument `epoch`. Did you mean `epochs`"
    ):
        Model().fit(3, epoch=2)


def test_explain_keywords_does_not_change_other_errors():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Model().fit(epochs=2)


@pytest.mark.parametrize("value", [0, -3, 10**30, np.int8(3), np.uint64(3)])
def test_is_integer(value):
    assert is_integer(value) and is_number(value)


@pytest.mark.parametrize("value", [1.0, True, np.True_, "1", None, np.array([1]), 1j])
def test_is_not_an_integer(value):
    assert not is_integer(value)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5), 3])
def test_is_number(value):
    assert is_number(value)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), np.float32("nan"), True, "1", None, 1j]
)
def test_is_not_a_number(value):
    assert not is_number(value)


def test_integer_at_least():
    assert integer_at_least("Dense", "units", np.int64(3), 1) == 3
    assert type(integer_at_least("Dense", "units", np.int64(3), 1)) is int


@pytest.mark.parametrize("value", [0, -1, 2.0, True, None, "3"])
def test_integer_at_least_raises(value):
    with pytest.raises(
        ValueError, match="`Dense`: `units` must be an integer of at least 1"
    ) as caught:
        integer_at_least("Dense", "units", value, 1)
    assert str(caught.value).endswith(f"received {value!r}.")


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5)])
def test_number_between(value):
    result = number_between("Dropout", "rate", value, 0.0, 1.0)
    assert result == value and type(result) is float


@pytest.mark.parametrize(
    ("value", "options", "bounds"),
    [
        (1.5, {}, r"\[0, 1\]"),
        (-0.5, {}, r"\[0, 1\]"),
        (0.0, {"open_low": True}, r"\(0, 1\]"),
        (1.0, {"open_high": True}, r"\[0, 1\)"),
        (float("nan"), {}, r"\[0, 1\]"),
        (None, {}, r"\[0, 1\]"),
        (True, {}, r"\[0, 1\]"),
        ("0.5", {}, r"\[0, 1\]"),
    ],
)
def test_number_between_raises(value, options, bounds):
    with pytest.raises(
        ValueError, match=rf"`Dropout`: `rate` must be a number in {bounds}, received"
    ):
        number_between("Dropout", "rate", value, 0.0, 1.0, **options)


def test_number_between_without_an_upper_bound():
    assert number_between("SGD", "learning_rate", 1e30, 0.0) == 1e30
    with pytest.raises(ValueError, match=r"in \[0, inf\), received inf"):
        number_between("SGD", "learning_rate", float("inf"), 0.0)


def test_one_of():
    assert one_of("AUC", "curve", "PR", ["ROC", "PR"]) == "PR"
    assert one_of("Conv", "padding", None, ["same", None]) is None
    assert one_of("Conv", "rank", 2, (rank for rank in (1, 2, 3))) == 2


@pytest.mark.parametrize(
    ("value", "ending"),
    [
        ("RCO", "received 'RCO'. Did you mean `ROC`?"),
        ("xyzzy", "received 'xyzzy'."),
        (3, "received 3."),
        (None, "received None."),
        (["ROC"], "received ['ROC']."),
    ],
)
def test_one_of_raises(value, ending):
    with pytest.raises(ValueError, match="`AUC`: `curve` must be one of 'ROC', 'PR', ") as caught:
        one_of("AUC", "curve", value, ["ROC", "PR"])
    assert str(caught.value).endswith(ending)


def test_errors_show_numpy_scalars_as_python_values():
    with pytest.raises(ValueError, match=r"received 'a'\."):
        integer_at_least("Dense", "units", np.str_("a"), 1)
    with pytest.raises(ValueError, match=r"received 2\.0\."):
        number_between("Dropout", "rate", np.float64(2.0), 0.0, 1.0)
    with pytest.raises(ValueError, match=r"received 'sum'\."):
        one_of("MSE", "reduction", np.str_("sum"), ["mean"])
