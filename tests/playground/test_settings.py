"""The settings of the playground, its data sets, features and tables."""

import json
import re

import numpy as np
import pytest
from sklearn.datasets import load_iris

from fjax.playground import PlaygroundError, Settings, load_data, make_features
from fjax.playground.assets import PARTS, script
from fjax.playground.messages import LANGUAGES, STATIC, read_texts
from fjax.playground.points import DATA_SETS, scale_to_square
from fjax.playground.tables import parse_table

POINTS = [[0, 0, 0], [1, 1, 1], [2, 2, 0], [3, 3, 1]]


def keys(tree, path=""):
    """The paths of all texts, with the names of their placeholders."""
    if isinstance(tree, dict):
        return {found for name, part in tree.items() for found in keys(part, f"{path}.{name}")}
    if isinstance(tree, list):
        return {found for index, part in enumerate(tree) for found in keys(part, f"{path}.{index}")}
    return {(path, *sorted(set(re.findall(r"\{(\w+)\}", tree))))}


@pytest.mark.short
def test_all_languages_have_the_same_texts():
    english, *others = (keys(read_texts(language)) for language in LANGUAGES)
    assert all(other == english for other in others)


def test_the_page_uses_every_text_and_has_those_that_it_uses():
    parts = "".join((STATIC / f"{part}.js").read_text("utf-8") for part in PARTS)
    texts = read_texts("en")
    used = set(re.findall(r"""(?:\bt|texts|say)\(\s*["`](\w+)["`]""", parts))
    used |= set(re.findall(r'"(unit\w+|output\w+|add\w+|speed_1|code\w+|limit\w+)"', parts))
    assert not {name for name in used & set(texts) if not texts[name]}
    unknown = set(re.findall(r"""(?:\bt|\.texts|say)\("(\w+)\"""", parts)) - set(texts)
    assert not unknown
    # Keys that are put together: the names of settings and of their choices.
    made = {"errors", "name", *vars(Settings())}
    made |= {name for name in texts if re.match("(data|task|regularization)_", name)}
    assert {name for name in texts if not re.search(rf'["`]{name}["`]', parts)} <= made | {"weight"}


@pytest.mark.parametrize("name", DATA_SETS)
def test_data_sets_are_in_the_square_and_depend_on_the_seed(name):
    (x, y), (x_test, y_test) = load_data(name, noise=0.1, test_share=0.25, seed=3)
    assert x.dtype == np.float32 and x.shape == (len(y), 2)
    assert len(x_test) == len(y_test) == pytest.approx(len(x) / 3, abs=1)
    assert np.abs(x).max() < 8
    again, other = load_data(name, noise=0.1, test_share=0.25, seed=3), load_data(name, seed=4)
    np.testing.assert_array_equal(again[0][0], x)
    assert not np.array_equal(other[0][0][:9], x[:9])
    if DATA_SETS[name].task == "classification":
        assert y.dtype == np.int32 and set(y) == set(range(3 if name == "iris" else 2))
    else:
        assert y.dtype == np.float32 and np.abs(y).max() <= 1.5


def test_without_noise_the_classes_follow_their_rules():
    (x, y), (x_test, y_test) = load_data("circle")
    x, y = np.concatenate([x, x_test]), np.concatenate([y, y_test])
    np.testing.assert_array_equal(np.linalg.norm(x, axis=1) < 3, y == 1)
    (x, y), _ = load_data("xor")
    np.testing.assert_array_equal(x[:, 0] * x[:, 1] > 0, y == 1)


def test_iris_is_the_data_of_fisher():
    (x, y), (x_test, y_test) = load_data("iris")
    x, y = np.concatenate([x, x_test]), np.concatenate([y, y_test])
    bunch = load_iris()
    expected = scale_to_square(bunch.data[:, 2:])
    for label in range(3):
        ours, theirs = x[y == label], expected[bunch.target == label]
        assert len(ours) == len(theirs) == 50
        # Each petal is where scikit-learn has it, up to the little noise that separates them.
        np.testing.assert_allclose(np.sort(ours, axis=0), np.sort(theirs, axis=0), atol=0.17)


def test_features():
    x = np.array([[2.0, -3.0]])
    names = ["x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)"]
    expected = [2, -3, 4, 9, -6, np.sin(2), np.sin(-3)]
    np.testing.assert_allclose(make_features(x, names)[0], expected, rtol=1e-6)
    with pytest.raises(PlaygroundError, match="at least one feature"):
        make_features(x, [])
    with pytest.raises(PlaygroundError, match=r"x3.*"):
        make_features(x, ["x3"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden": [64] * 10}, "at most 8 hidden layers here, and 10"),
        ({"hidden": [64]}, "1 to 16 units here, received 64"),
        ({"hidden": [2.5]}, "1 to 16 units"),
        ({"hidden": [True]}, "1 to 16 units"),
        ({"hidden": 3}, "hidden must be a list"),
        ({"learning_rate": 11}, "learning_rate must be from 0 to 10, received 11"),
        ({"learning_rate": float("nan")}, "received NaN"),
        ({"learning_rate": "fast"}, "received fast"),
        ({"batch_size": 2.5}, "batch_size must be a whole number from 1 to 2000"),
        ({"noise": 0.6}, "noise must be from 0 to 0.5"),
        ({"features": []}, "at least one feature"),
        ({"features": [["x1"]]}, "features must be one of"),
        ({"features": ["x3"]}, "features must be one of"),
        ({"activation": "swish"}, "activation must be one of"),
        ({"activation": ["tanh"]}, "activation must be one of"),
        ({"colour": 1}, "no setting colour"),
        ({"data": "plane"}, "not for the task classification"),
        ({"data": "own"}, "At least 4 points"),
        ({"data": "own", "points": [[0, 0, 0]] * 5}, "same class"),
        ({"data": "own", "points": [[0, 0, 0]] * 2001}, "At most 2000 points"),
        ({"data": "own", "points": [[0, 0, 7], *POINTS]}, "At most 6 classes"),
        ({"data": "own", "points": [[0, 0], *POINTS]}, "A point must be"),
        ({"data": "own", "points": [[0, None, 0], *POINTS]}, "A point must be"),
        ({"data": "own", "points": [[0, float("inf"), 0], *POINTS]}, "A point must be"),
    ],
)
def test_wrong_settings_are_one_sentence(values, message):
    with pytest.raises(PlaygroundError, match=message) as caught:
        Settings.from_json(values)
    for language in LANGUAGES:
        text = read_texts(language)["errors"][caught.value.code].format(**caught.value.values)
        assert "{" not in text


def test_settings_survive_json():
    settings = Settings(data="own", points=POINTS, hidden=[3, 2], features=["x2", "x1", "x2"])
    assert settings.features == ("x1", "x2")
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_a_table_with_names_and_classes():
    table = parse_table("\ufeffheight;weight;kind\n1;2;b\n\n3;4;a\n5;6;b\n7;8;a\n")
    assert table.names == ["height", "weight", "kind", "a", "b"]
    assert [point[2] for point in table.points] == [1, 0, 1, 0]
    assert table.points[0][:2] == (-5, -5) and table.points[-1][:2] == (5, 5)


def test_a_table_of_values_is_a_regression():
    table = parse_table(
        "\n".join(f"{row} {row * row}\t{row / 7}" for row in range(1, 9)).replace("\t", " ")
    )
    assert table.task == "regression"
    assert (table.points[0][2], table.points[-1][2]) == (-1, 1)
    whole = parse_table("\n".join(f"{row},1,{row % 3}" for row in range(9)))
    assert whole.task == "classification" and {point[1] for point in whole.points} == {0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "The table is empty"),
        ("\n \n", "The table is empty"),
        ("1,2\n3,4", "Line 1 has 2 columns"),
        ("a,b,c\n1,2,x\n3,4,y\n5,NaN,y\n7,8,x", "Line 4 has the entry “NaN”"),
        ("1,2,x\n3,four,y\n5,6,y\n7,8,x", "Line 2 has the entry “four”"),
        ("1,2,x\n3,,y\n5,6,y\n7,8,x", "Line 2 has the entry “”"),
        ("1,2,x\n3,4,y", "At least 4 points"),
        ("\n".join(f"{row},1,x" for row in range(9)), "same class"),
        ("\n".join(f"{row},1,name{row}" for row in range(9)), "At most 6 classes"),
        ("\n".join(f"{row},1,{row / 3}" for row in range(9)) + "\n1,2,oops", "“oops”"),
        ("\n".join(f"{row},1,{row % 2}" for row in range(2001)), "At most 2000"),
    ],
)
def test_wrong_tables_are_one_sentence(text, message):
    with pytest.raises(PlaygroundError, match=message):
        parse_table(text)


def test_the_script_is_one_module_without_loads():
    text = script()
    assert "import " not in re.sub(r"//.*|/\*.*?\*/|TEXTS = .*", "", text, flags=re.DOTALL)
    assert text.count("export default") == 1 and "http" not in text.replace("https://", "")
