"""The walk over the layers of a network: paths, weights, flags and connections."""

import jax
import numpy as np

from fjax import branch, repeat, serial
from fjax.core import InputLayer, graph
from fjax.core.flow import Origin
from fjax.core.layer_walk import list_layers, trace_layers
from fjax.core.shapes import eval_shapes
from fjax.layers import Concatenate, Dense, Dropout, Input

ROWS = jax.ShapeDtypeStruct((2, 4), "float32")


def walk(network, *specs):
    """Return the records of all layers, by path."""
    shapes = eval_shapes(network, *specs)
    traced = trace_layers(network, shapes.params, shapes.state, [specs, specs], nested=True)
    return {"/".join(record.path): record for record in traced.walk()}


def test_a_layer_is_followed_by_the_layers_inside():
    block = serial(Dense(3), Dropout(0.5), name="block")
    records = walk(serial(Dense(4), block, Dense(1)), ROWS)
    assert list(records) == ["dense", "block", "block/dense", "block/dropout", "dense_1"]
    kernels = {path: np.shape(r.weights[0].get("kernel")) for path, r in records.items()}
    assert kernels["block/dense"] == (4, 3)
    assert records["block/dense"].weights_path == ("block", "dense")
    assert records["block/dropout"].origins == ((Origin("dense", 0),),)


def test_a_declared_input_of_a_graph_has_no_weights():
    inputs = Input((4,), name="rows")
    shared = Dense(4, name="shared")
    records = walk(graph(inputs, shared(shared(inputs)) + inputs), ROWS)
    assert records["rows"].weights_path is None
    assert records["rows"].weights == ({}, {})
    assert records["shared"].origins == ((Origin("rows", 0), Origin("shared", 0)),)


def test_a_declared_input_of_a_sequence_is_no_layer_of_it():
    network = serial(InputLayer((4,)), Dense(3))
    (record,) = walk(network, ROWS).values()
    assert record.name == "dense"
    assert record.origins == ((Origin(None, 0),),)


def test_each_output_has_its_position():
    records = walk(serial(branch(Dense(1), Dense(2)), Concatenate()), ROWS)
    assert records["concatenate"].origins == ((Origin("branch", 0),), (Origin("branch", 1),))


def test_the_layers_inside_a_frozen_layer_are_frozen():
    frozen = serial(Dense(3))
    frozen.trainable = False
    records = walk(serial(Dense(4), frozen, repeat(Dense(3, trainable=False), 2), Dense(1)), ROWS)
    assert {path: record.trainable for path, record in records.items()} == {
        "dense": True, "sequential": False, "sequential/dense": False, "repeat": False,
        "dense_1": True,
    }  # fmt: skip


def test_a_single_layer_is_listed_as_itself():
    (record,) = list_layers(Dense(3))
    assert (record.path, record.weights_path, record.trainable) == (("dense",), (), True)
