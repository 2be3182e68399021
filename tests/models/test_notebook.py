"""What a notebook shows as the value of a cell, and the colors of a summary."""

import io
import re
import sys

import numpy as np
import pytest

import fjax
from fjax.core.weight_slot import find_slot
from fjax.layers import Dense, Dropout, Embedding, Input
from fjax.models.summary_colors import has_colors
from fjax.visualization import text_drawing


def texts(markup):
    """Return the cells of the rows of a table."""
    rows = re.findall("<tr.*?</tr>", markup)
    return [
        [re.sub("<.*?>", "", cell) for cell in re.findall("<t[dh].*?>(.*?)</t[dh]>", row)]
        for row in rows
    ]


def make_graph():
    features = Input((8,), name="features")
    hidden = Dense(8, "relu", name="hidden")(features)
    joined = features + Dense(8, name="back")(hidden)
    return fjax.Model(features, [Dense(1, name="price")(joined), Dense(1, name="sold")(hidden)])


def test_a_model_is_its_drawing_and_its_table():
    model = make_graph()
    model.get_layer("back").trainable = False
    markup = model._repr_html_()
    assert texts(markup)[1:] == [
        ["", "features", "InputLayer", "(None, 8)", ""],
        ["", "hidden", "Dense", "(None, 8)", "72"],
        ["", "back", "Dense", "(None, 8)", "72 frozen"],
        ["", "add", "Add", "(None, 8)", ""],
        ["", "price → output", "Dense", "(None, 1)", "9"],
        ["", "sold → output", "Dense", "(None, 1)", "9"],
    ]
    assert "162 (648.00 B) parameters · 90 (360.00 B) trainable" in markup


def test_the_rails_are_those_of_the_text_drawing():
    model = make_graph()
    circles = re.findall('cx="(\\d+)"', model._repr_html_())
    columns = [(int(x) - 8) // 16 for x in circles]
    lines = [line for line in text_drawing(model).splitlines() if re.search("[○●]", line)]
    assert columns == [re.search("[○●]", line).start() // 2 for line in lines]


def test_showing_a_model_makes_no_weights():
    model = fjax.Sequential([Input((4,)), Dense(10)])
    model._repr_html_()
    assert not any(find_slot(layer).is_filled for layer in model.layers)


def test_a_model_without_input_shape_lists_its_layers():
    markup = fjax.Sequential([Dense(3), Dropout(0.5)])._repr_html_()
    assert "The input shape is not known yet." in markup
    assert texts(markup)[1:] == [["dense", "Dense"], ["dropout", "Dropout"]]


def test_names_are_text_in_html():
    model = fjax.Sequential([Input((4,)), Dense(3)], name="a<b>")
    assert "a&lt;b&gt;" in model._repr_html_()


def test_a_layer_shows_what_was_given_and_folds_the_rest():
    shown, folded = Dense(3, "relu", kernel_regularizer="l2")._repr_html_().split("<details>")
    assert texts(shown) == [["units", "3"], ["activation", "relu"], ["kernel_regularizer", "L2()"]]
    assert ["use_bias", "True"] in texts(folded)


def test_arrays_and_long_lists_stay_short():
    layers = [
        fjax.layers.Normalization(mean=np.arange(1e6), variance=np.ones(10**6)),
        fjax.layers.StringLookup(vocabulary=[str(n) for n in range(20_000)]),
        Embedding(4, 2, embeddings_initializer=fjax.initializers.Constant(np.ones((4, 2)))),
    ]
    assert all(len(layer._repr_html_()) < 12_000 for layer in layers)


def test_a_class_of_ones_own_shows_its_arguments():
    class Scale(fjax.layers.Layer):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return x * self.factor

    assert texts(Scale(factor=2)._repr_html_()) == [["factor", "2"]]


def test_losses_and_optimizers_show_their_arguments():
    assert texts(fjax.optimizers.Adam(0.1)._repr_html_())[0] == ["learning_rate", "0.1"]
    assert "Huber" in fjax.losses.Huber(delta=2.0)._repr_html_()


# ---------------------------------------------------------------- colors


class Terminal(io.StringIO):
    def isatty(self):
        return True


def summary(monkeypatch, stream, **environment):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "108")
    monkeypatch.setattr(sys, "stdout", stream)
    make_graph().summary(show_trainable=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    "stream, environment, colored",
    [
        (Terminal, {}, True),
        (Terminal, {"NO_COLOR": "1"}, False),
        (Terminal, {"NO_COLOR": ""}, True),
        (Terminal, {"TERM": "dumb"}, False),
        (io.StringIO, {}, False),
        (io.StringIO, {"FORCE_COLOR": "1"}, True),
        (io.StringIO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_where_a_summary_has_colors(monkeypatch, stream, environment, colored):
    plain = summary(monkeypatch, io.StringIO())
    text = summary(monkeypatch, stream(), **environment)
    assert ("\x1b[" in text) is colored
    # Without its escape sequences it is the same text, character by character.
    assert re.sub("\x1b\\[\\d+m", "", text) == plain


def test_print_fn_gets_no_colors(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    lines = []
    make_graph().summary(print_fn=lines.append)
    assert has_colors() and "\x1b" not in "".join(lines)
