"""A model in the DOT language: the nodes are its layers, the edges their connections."""

import sys

import pytest

import fjax
from fjax.core import as_layer
from fjax.layers import Dense, Input
from fjax.visualization import model_to_dot

pydot = pytest.importorskip("pydot")

# The parser that pydot uses warns of its own deprecated names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pydot")


def read(dot):
    """Return the nodes, edges and frames of a `pydot.Dot`, by parsing its text."""
    (graph,) = pydot.graph_from_dot_data(dot.to_string())
    nodes, edges, frames = {}, set(), {}
    stack = [graph]
    while stack:
        part = stack.pop()
        for node in part.get_nodes():
            if node.get_name().strip('"') not in ("node", "edge", "graph"):
                nodes[node.get_name().strip('"')] = node.get_attributes()
        edges |= {
            (e.get_source().strip('"'), e.get_destination().strip('"')) for e in part.get_edges()
        }
        for frame in part.get_subgraphs():
            frames[frame.get_label().strip('"')] = {
                n.get_name().strip('"') for n in frame.get_nodes()
            }
            stack.append(frame)
    return nodes, edges, frames


def test_a_sequence_of_layers(row):
    nodes, edges, frames = read(model_to_dot(row))
    assert list(nodes) == ["dense", "dropout", "dense_1"]
    assert edges == {("dense", "dropout"), ("dropout", "dense_1")}
    assert not frames


def test_several_inputs_and_outputs(wide_and_deep):
    nodes, edges, _ = read(model_to_dot(wide_and_deep))
    assert set(nodes) == {"wide", "deep", "first", "second", "beside", "main", "auxiliary"}
    assert edges == {
        ("deep", "first"), ("first", "second"), ("wide", "beside"), ("second", "beside"),
        ("beside", "main"), ("second", "auxiliary"),
    }  # fmt: skip
    colors = {name: node["label"].split('color="')[1][:7] for name, node in nodes.items()}
    assert colors["wide"] == colors["deep"] != colors["first"]
    assert colors["main"] == colors["auxiliary"] != colors["second"]


def test_a_nested_layer_is_one_node_or_a_frame(nested):
    nodes, edges, frames = read(model_to_dot(nested))
    assert set(nodes) == {"start", "base", "head", "multiply", "beside", "end"}
    assert ("base", "base") in edges
    assert not frames
    nodes, edges, frames = read(model_to_dot(nested, expand_nested=True))
    assert frames == {"base": {"base/down", "base/drop", "base/up"}}
    assert edges == {
        ("start", "base/down"), ("base/down", "base/drop"), ("base/drop", "base/up"),
        ("base/up", "base/down"), ("base/up", "head"), ("start", "multiply"),
        ("head", "beside"), ("multiply", "beside"), ("beside", "end"),
    }  # fmt: skip


def test_graphs_within_graphs_are_frames_within_frames():
    one, two = Input((2,), name="one"), Input((2,), name="two")
    total = one + two
    both = fjax.Model([one, two], [total, Dense(2, name="up")(total)], name="both").network
    start, other = Input((2,), name="start"), Input((2,), name="other")
    low, high = both(start, other)
    outer = fjax.Model(
        [start, other], [low * 2.0, Dense(1, name="end")(high)], name="outer"
    ).network
    first, second = Input((2,), name="first"), Input((2,), name="second")
    nodes, edges, frames = read(
        model_to_dot(fjax.Model([first, second], outer(second, first)), expand_nested=True)
    )
    assert set(frames) == {"outer", "both"}
    assert edges == {
        ("second", "outer/start"), ("first", "outer/other"),
        ("outer/start", "outer/both/one"), ("outer/other", "outer/both/two"),
        ("outer/both/one", "outer/both/add"), ("outer/both/two", "outer/both/add"),
        ("outer/both/add", "outer/both/up"), ("outer/both/add", "outer/multiply"),
        ("outer/both/up", "outer/end"),
    }  # fmt: skip
    assert "outer/both/up" in nodes


def test_an_authored_model(written):
    nodes, edges, frames = read(model_to_dot(written, expand_nested=True))
    assert set(nodes) == {"input", "inner/dense", "inner/bend", "drop", "last"}
    assert edges == {
        ("input", "inner/dense"), ("inner/dense", "inner/bend"), ("inner/bend", "drop"),
        ("input", "last"), ("drop", "last"), ("inner/bend", "last"),
    }  # fmt: skip
    assert set(frames) == {"inner"}


def test_the_details_of_a_box(nested):
    label = read(model_to_dot(nested))[0]["head"]["label"]
    assert "head" in label
    assert "Dense" in label
    for word in ("(None", "float32", "linear", "trainable"):
        assert word not in label
    everything = model_to_dot(
        nested, show_shapes=True, show_dtype=True, show_layer_names=False,
        show_layer_activations=True, show_trainable=True,
    )  # fmt: skip
    nodes = read(everything)[0]
    label = nodes["head"]["label"]
    assert "head" not in label
    for text in ("(None, 4)", "(None, 7)", "float32", "linear", ">no<"):
        assert text in label
    assert ">yes<" in nodes["end"]["label"]
    assert "trainable" not in nodes["start"]["label"]


def test_all_layers_of_a_frozen_model_are_frozen(nested):
    nested.trainable = False
    nodes = read(model_to_dot(nested, show_trainable=True, expand_nested=True))[0]
    assert ">no<" in nodes["base/up"]["label"]
    assert ">no<" in nodes["end"]["label"]


def test_names_with_special_characters(tmp_path):
    def odd(inputs):
        return inputs

    odd.__name__ = '<lambda> & "co"'
    inputs = Input((2,), name='a "b" \\ <c>')
    model = fjax.Model(inputs, Dense(1, name="x:y")(as_layer(odd)(inputs)))
    nodes, edges, _ = read(model_to_dot(model))
    assert len(nodes) == 3
    assert len(edges) == 2
    assert "&lt;c&gt;" in model_to_dot(model).to_string()


def test_invalid_arguments_raise(row, unbuilt, monkeypatch):
    with pytest.raises(ValueError, match="`rankdir` must be one of 'TB', 'LR', 'BT', 'RL'"):
        model_to_dot(row, rankdir="down")
    with pytest.raises(ValueError, match="`dpi` must be an integer of at least 1"):
        model_to_dot(row, dpi=0)
    with pytest.raises(TypeError, match="Did you mean `show_shapes`"):
        model_to_dot(row, show_shape=True)
    with pytest.raises(TypeError, match="`model_to_dot` draws a model, received None"):
        model_to_dot(None)
    with pytest.raises(ValueError, match="does not know its input shape yet"):
        model_to_dot(unbuilt)
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(ImportError, match=r"needs pydot: `pip install fjax\[viz\]`"):
        model_to_dot(row)
