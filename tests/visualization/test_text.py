"""text_drawing."""

import re

import pytest

import fjax
from fjax.core import as_layer
from fjax.layers import Dense, Input
from fjax.visualization import text, text_drawing

pytestmark = pytest.mark.short

WIDE_AND_DEEP = """
○   wide (InputLayer)           (None, 5)
│ ○ deep (InputLayer)           (None, 6)
│ ● first (Dense)               (None, 30)
│ ● second (Dense)              (None, 30)
├─┤
● │ beside (beside)             (None, 35)
● │ main (Dense) → output       (None, 1)
  ● auxiliary (Dense) → output  (None, 1)
"""
NESTED = """
○   start (InputLayer)                (None, 4)
├─╮
│ ● base (Sequential) ↺ also on base  (None, 4)
│ ● head (Dense)                      (None, 7)
● │ multiply (Multiply)               (None, 4)
├─╯
●   beside (beside)                   (None, 18)
●   end (Dense) → output              (None, 2)
"""
EXPANDED = """
○   start (InputLayer)                   (None, 4)
├─╮
│ ● base/down (Dense) ↺ also on base/up  (None, 3)
│ ● base/drop (Dropout)                  (None, 3)
│ ● base/up (Dense)                      (None, 4)
│ ● head (Dense)                         (None, 7)
● │ multiply (Multiply)                  (None, 4)
├─╯
●   beside (beside)                      (None, 18)
●   end (Dense) → output                 (None, 2)
"""
WRITTEN = """
○     input (Input)          (None, 4)
├─╮
│ ●   inner (Sequential)     (None, 4)
│ ├─╮
│ │ ● drop (Dropout)         (None, 4)
├─┴─╯
●     last (Dense) → output  (None, 2)
"""


@pytest.mark.parametrize(
    ("name", "expand_nested", "expected"),
    [
        ("wide_and_deep", False, WIDE_AND_DEEP),
        ("nested", False, NESTED),
        ("nested", True, EXPANDED),
        ("written", False, WRITTEN),
    ],
)
def test_drawings(request, name, expand_nested, expected):
    model = request.getfixturevalue(name)
    drawn = text_drawing(model, show_shapes=True, expand_nested=expand_nested)
    assert drawn == expected.strip("\n")


def test_sequential_model(row):
    assert text_drawing(row) == "● dense (Dense)\n● dropout (Dropout)\n● dense_1 (Dense) → output"


def test_gap_between_separate_graphs():
    one, two = Input((2,), name="one"), Input((3,), name="two")
    model = fjax.Model([one, two], [Dense(1, name="a")(one), Dense(1, name="b")(two)])
    assert text_drawing(model).splitlines() == [
        "○ one (InputLayer)",
        "● a (Dense) → output",
        "",
        "○ two (InputLayer)",
        "● b (Dense) → output",
    ]


def test_input_that_is_an_output():
    inputs = Input((2,), name="start")
    assert text_drawing(fjax.Model(inputs, inputs)) == "○ start (InputLayer) → output"


def test_cyclic_calls():
    """Rails cannot lead back up, so that the line names the later layer."""
    inputs = Input((2,), name="start")
    one, two = Dense(2, name="one"), Dense(2, name="two")
    model = fjax.Model(inputs, two(one(two(one(inputs)))))
    assert text_drawing(model).splitlines() == [
        "○ start (InputLayer)",
        "● one (Dense) ↺ also on two",
        "● two (Dense) → output",
    ]


def towers(count):
    inputs = [Input((3,), name=f"in{n}") for n in range(count)]
    ends = [Dense(2, name=f"tower{n}")(tensor) for n, tensor in enumerate(inputs)]
    return fjax.Model(inputs, Dense(1, name="end")(as_layer(max_of)(*ends)))


def max_of(*arrays):
    return sum(arrays)


def test_width_of_terminal(monkeypatch, nested, wide_and_deep):
    monkeypatch.setattr(text, "available_width", lambda: 40)
    for model in (nested, wide_and_deep, towers(8), towers(30)):
        drawn = text_drawing(model, show_shapes=True, expand_nested=True)
        assert max(map(len, drawn.splitlines())) <= 40, drawn
        # The shape of every layer is still shown.
        assert len(re.findall(r"\(None, \d+\)", drawn.replace("\n", " "))) >= len(model.layers)


def test_names_replace_too_many_rails(monkeypatch):
    monkeypatch.setattr(text, "available_width", lambda: 60)
    lines = text_drawing(towers(30)).splitlines()
    assert lines[:2] == ["in0 (InputLayer)", "tower0 (Dense) ← in0"]
    assert lines[-1] == "end (Dense) → output ← max_of"


def test_deep_network_needs_no_recursion():
    tensor = inputs = Input((2,))
    for _ in range(1200):
        tensor = -tensor
    assert len(text_drawing(fjax.Model(inputs, tensor)).splitlines()) == 1201


def test_invalid_models(unbuilt):
    with pytest.raises(ValueError, match="does not know its input shape yet"):
        text_drawing(unbuilt)
    with pytest.raises(TypeError, match=r"`text_drawing` draws a model, received Dense\(units=3\)"):
        text_drawing(Dense(3))
