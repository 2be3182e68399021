import pytest

from fjax.configuration import Configured
from fjax.registry import Registry

pytestmark = pytest.mark.short


def relu(x):
    return x


def mean_error(x):
    return x


class HeNormal(Configured):
    scale: float = 2.0

    def __call__(self, shape):
        return shape


class Descent(Configured):
    rate: float = 0.1


REGISTRY = Registry(
    "member", [relu, mean_error, HeNormal, Descent], {"mse": mean_error, "HE": HeNormal}
)


def test_names_include_aliases_and_snake_case():
    assert REGISTRY.names == sorted(
        ["relu", "mean_error", "HeNormal", "he_normal", "Descent", "descent", "mse", "HE"]
    )


@pytest.mark.parametrize("name", ["relu", "Relu", "RELU"])
def test_a_function_by_its_name(name):
    assert REGISTRY.get(name) is relu


@pytest.mark.parametrize("name", ["mse", "MSE", "mean_error"])
def test_a_function_by_an_alias(name):
    assert REGISTRY.get(name) is mean_error


@pytest.mark.parametrize("name", ["HeNormal", "he_normal", "HE", "HE_NORMAL"])
def test_a_class_name_returns_an_object_with_the_defaults(name):
    assert REGISTRY.get(name) == HeNormal()


def test_a_class_a_config_an_object_and_a_function():
    assert REGISTRY.get(HeNormal) == HeNormal()
    assert REGISTRY.get({"class_name": "HeNormal", "config": {"scale": 3.0}}) == HeNormal(3.0)
    assert REGISTRY.get({"class_name": "HeNormal"}) == HeNormal()
    member = HeNormal(5.0)
    assert REGISTRY.get(member) is member
    assert REGISTRY.get(str.upper) is str.upper


def test_get_reverses_get_config():
    member = HeNormal(5.0)
    config = {"class_name": type(member).__name__, "config": member.get_config()}
    assert REGISTRY.get(config) == member


@pytest.mark.parametrize(
    ("name", "nearest"), [("rleu", "relu"), ("he_norml", "he_normal"), ("Henormal", "HeNormal")]
)
def test_the_error_for_an_unknown_name_suggests_a_similar_one(name, nearest):
    with pytest.raises(ValueError, match=rf"Unknown member '{name}'. Did you mean `{nearest}`\?$"):
        REGISTRY.get(name)


def test_the_error_for_a_name_like_no_other_lists_all():
    with pytest.raises(ValueError, match=r"Unknown member 'xyzzy'. Known: Descent, HE, ") as caught:
        REGISTRY.get("xyzzy")
    assert "Did you mean" not in str(caught.value)


def test_the_error_for_an_unknown_class_name_in_a_config():
    with pytest.raises(ValueError, match="Did you mean `HeNormal`"):
        REGISTRY.get({"class_name": "HeNormall", "config": {}})


@pytest.mark.parametrize("identifier", [None, 3, 2.5, ["relu"], {"name": "relu"}, {}])
def test_other_identifiers_raise(identifier):
    with pytest.raises(TypeError, match=r"Expected the name of a known member.*Known: Descent"):
        REGISTRY.get(identifier)


def test_registries_are_independent():
    with pytest.raises(ValueError, match="Unknown other 'relu'"):
        Registry("other", [mean_error]).get("relu")


def test_an_object_that_cannot_be_called():
    member = Descent(0.5)
    assert REGISTRY.get(member) is member
