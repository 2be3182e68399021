"""Summaries and diagrams of models, compared with Keras."""

import re

import keras
import numpy as np
import pytest

import fjax


def wide_and_deep(library):
    layers = library.layers
    wide, deep = layers.Input((30,), name="wide"), layers.Input((6,), name="deep")
    hidden = layers.Dense(30, name="first")(deep)
    hidden = layers.BatchNormalization(name="norm")(hidden)
    both = wide + hidden
    main, auxiliary = layers.Dense(1, name="main")(both), layers.Dense(1, name="aux")(hidden)
    return library.Model([wide, deep], [main, auxiliary])


def shared(library):
    left, right = library.layers.Input((4,), name="left"), library.layers.Input((4,), name="right")
    twin = library.layers.Dense(3, name="twin")
    return library.Model([left, right], twin(left) - twin(right))


def frozen(library):
    model = wide_and_deep(library)
    model.get_layer("first").trainable = False
    model.get_layer("norm").trainable = False
    return model


def inside(library):
    layers = library.layers
    base = library.Sequential(
        [layers.Input((4,)), layers.Dense(3, name="down"), layers.Dense(4, name="up")], name="base"
    )
    model = library.Sequential([layers.Input((4,)), base, layers.Dense(2, name="head")])
    model.layers[0].trainable = False
    return model


def in_a_row(library):
    layers = library.layers
    inputs = layers.Input((4,), name="start")
    return library.Model(
        inputs, layers.Dense(1, name="end")(layers.Dropout(0.5, name="drop")(inputs))
    )


@pytest.fixture(autouse=True)
def new_names_and_room(monkeypatch):
    """Keras counts names per process, and truncates lines that are wider than the terminal."""
    keras.utils.clear_session()
    monkeypatch.setenv("COLUMNS", "200")


NETS = [wide_and_deep, shared, frozen, inside, in_a_row]


def printed(model):
    texts = []
    model.summary(print_fn=texts.append, line_length=150, expand_nested=True, show_trainable=True)
    return "\n".join(texts)


def cells(text):
    """Return the cells of a table without blanks, and without Keras's numbers of calls."""
    rows = []
    for line in text.splitlines():
        parts = re.split("[│┃]", line)[1:-1]
        if parts and not parts[0].strip():
            rows[-1] = [before + after for before, after in zip(rows[-1], parts, strict=True)]
        elif parts:
            rows.append(parts)
    return [[re.sub(r"\[\d+\]|\s", "", part) for part in row] for row in rows]


@pytest.mark.sampled(2, name="^")
@pytest.mark.parametrize("net", NETS)
def test_totals(net):
    ours, theirs = (re.findall(r".* params: .*", printed(net(lib))) for lib in (fjax, keras))
    assert [line.rstrip() for line in ours] == [line.rstrip() for line in theirs]


@pytest.mark.parametrize("net", NETS)
def test_rows(net):
    ours, theirs = cells(printed(net(fjax))), cells(printed(net(keras)))
    for row in theirs:
        if len(row) == 5:
            # Keras lists a source for each call; fjax lists each source once.
            row[3] = ",".join(dict.fromkeys(row[3].split(",")))
    assert sorted(ours[1:]) == sorted(theirs[1:])
    assert ours[0] == theirs[0]


@pytest.mark.sampled(3, name="^")
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_the_optimizer_after_a_step(optimizer):
    found = []
    for library in (fjax, keras):
        model = library.Sequential([library.layers.Input((4,)), library.layers.Dense(3)])
        model.compile(optimizer, "mse")
        model.fit(np.ones((8, 4)), np.ones((8, 3)), verbose=0)
        found.append([line.rstrip() for line in re.findall(r".* params: .*", printed(model))])
    assert found[0] == found[1]
    assert len(found[0]) == 4


@pytest.mark.parametrize("net", [wide_and_deep, shared, in_a_row])
def test_edges(net):
    def edges(library):
        dot = library.utils.model_to_dot(net(library))
        model_names = {}
        for node in dot.get_nodes():
            title = re.search(r"<b>(.+?)</b>", str(node.get("label")))
            if title:
                model_names[node.get_name()] = title[1]
        return {
            (model_names[edge.get_source()], model_names[edge.get_destination()])
            for edge in dot.get_edges()
        }

    assert edges(fjax) == edges(keras)
    assert edges(fjax)
