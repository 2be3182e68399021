"""Graphs: made from symbolic tensors, compared by value, run as a pure pair."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax.configuration import cache_key
from fjax.core import Graph, graph, serial
from fjax.layers import (
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    Input,
    add,
    concatenate,
)
from tests.core.test_layer import KEY

A, B = np.ones((4, 3), "float32"), np.full((4, 5), 2.0, "float32")


def branching_graph():
    """Return a graph with two inputs, two outputs, and a layer that is called twice."""
    a, b = Input((3,), name="a"), Input((5,), name="b")
    shared = Dense(4, "tanh")
    one = shared(a)
    other = shared(Dense(3)(b))
    merged = concatenate([one, other])
    return graph([a, b], [Dense(1, name="price")(merged), Dense(2, name="kind")(other)])


def test_graphs_are_compared_by_value():
    one, other = branching_graph(), branching_graph()
    assert one == other
    assert hash(one) == hash(other)
    assert cache_key(one)
    assert repr(one) == "<Graph 'functional': a, b -> price, kind, 5 layers>"
    a = Input((3,), name="a")
    assert graph(a, Dense(2)(a)) != graph(a, Dense(3)(a))
    assert graph(a, Dense(2)(a)) != graph(a, Dense(2)(a) * 2.0)
    assert graph(a, a * 2) != graph(a, a * 2.0)


def test_a_shared_layer_has_one_set_of_weights():
    network = branching_graph()
    params, _state = network.init(KEY, A, B)
    assert network.names == ("dense_1", "dense", "concatenate", "price", "kind")
    assert {name: jax.tree.map(jnp.shape, tree) for name, tree in params.items() if tree} == {
        "dense": {"kernel": (3, 4), "bias": (4,)},
        "dense_1": {"kernel": (5, 3), "bias": (3,)},
        "price": {"kernel": (8, 1), "bias": (1,)},
        "kind": {"kernel": (4, 2), "bias": (2,)},
    }


def test_the_outputs_equal_those_computed_by_hand():
    network = branching_graph()
    params, state = network.init(KEY, A, B)
    (price, kind), _ = network.apply(params, state, A, B)
    dense = lambda name, x: x @ params[name]["kernel"] + params[name]["bias"]  # noqa: E731
    one = jnp.tanh(dense("dense", A))
    other = jnp.tanh(dense("dense", dense("dense_1", B)))
    expected = dense("price", jnp.concatenate([one, other], -1))
    np.testing.assert_allclose(price, expected, rtol=1e-6)
    np.testing.assert_allclose(kind, dense("kind", other), rtol=1e-6)


@pytest.mark.parametrize("structure", ["one", "list", "tuple", "dict"])
def test_inputs_and_outputs_keep_their_structure(structure):
    a, b = Input((3,), name="a"), Input((3,), name="b")
    one, other = a + b, a * b
    inputs = {"one": a, "list": [a, b], "tuple": (a, b), "dict": {"y": b, "x": a}}[structure]
    outputs = {"one": a + a, "list": [one, other], "tuple": (one, other),
               "dict": {"sum": one, "product": other}}[structure]  # fmt: skip
    network = graph(inputs, outputs)
    given = {"one": (A,), "dict": ({"x": A, "y": 2 * A},)}.get(structure, (A, 2 * A))
    params, state = network.init(KEY, *given)
    found, _ = network.apply(params, state, *given)
    assert jax.tree.structure(found) == jax.tree.structure(jax.tree.map(lambda _: 0, outputs))
    names = {"one": ["a"], "dict": ["x", "y"]}.get(structure, ["a", "b"])
    assert network.input_names == names
    assert network.output_names == {
        "one": ["add"], "dict": ["product", "sum"]
    }.get(structure, ["add", "multiply"])  # fmt: skip
    if structure == "dict":
        np.testing.assert_array_equal(found["sum"], 3 * A)
        np.testing.assert_array_equal(found["product"], 2 * A * A)


def test_names_are_numbered_in_the_order_of_the_calls():
    a = Input((3,))
    first, second = Dense(3), Dense(3)
    near = first(a)
    far = second(near)
    network = graph(a, add([near, far]))
    assert dict(network.children())["dense"] is first
    assert dict(network.children())["dense_1"] is second


def test_the_output_of_a_layer_may_be_an_input():
    a = Input((3,))
    hidden = Dense(4)(a)
    tail = graph(hidden, Dense(2)(hidden))
    assert [declared.shape for declared in jax.tree.leaves(tail.inputs)] == [(4,)]
    params, state = tail.init(KEY, np.ones((2, 4), "float32"))
    assert list(params) == ["dense"]
    assert tail.apply(params, state, np.ones((2, 4)))[0].shape == (2, 2)


def test_an_input_may_be_an_output():
    a = Input((3,), name="a")
    network = graph(a, [a, Dense(2)(a)])
    params, state = network.init(KEY, A)
    np.testing.assert_array_equal(network.apply(params, state, A)[0][0], A)
    assert network.output_names == ["a", "dense"]


def test_a_call_may_fix_its_training_mode():
    a = Input((3,))
    normalize = BatchNormalization()
    follows, fixed = graph(a, normalize(a)), graph(a, normalize(a, training=False))
    params, state = follows.init(KEY, A)
    _, moved = follows.apply(params, state, A, training=True)
    _, kept = fixed.apply(params, state, A, training=True)
    assert not np.array_equal(moved["batch_normalization"]["moving_mean"], jnp.zeros(3))
    np.testing.assert_array_equal(kept["batch_normalization"]["moving_mean"], jnp.zeros(3))


def test_each_call_of_a_shared_layer_updates_its_state():
    a = Input((3,))
    normalize = BatchNormalization(momentum=0.5)
    network = graph(a, normalize(normalize(a)))
    params, state = network.init(KEY, A)
    x = np.random.default_rng(0).normal(2.0, 1.0, (8, 3)).astype("float32")
    _, moved = network.apply(params, state, x, training=True)
    once, after = normalize.apply(params["batch_normalization"], state["batch_normalization"], x,
                                  training=True)  # fmt: skip
    _, twice = normalize.apply(params["batch_normalization"], after, once, training=True)
    np.testing.assert_allclose(
        moved["batch_normalization"]["moving_mean"], twice["moving_mean"], rtol=1e-6
    )


def test_a_shared_layer_is_penalized_for_each_call_and_once_for_its_weights():
    a, b = Input((3,)), Input((3,))
    shared = Dense(2, kernel_regularizer="l2", activity_regularizer="l1")
    network = graph([a, b], add([shared(a), shared(b)]))
    params, state = network.init(KEY, A, A)
    _, after = network.apply(params, state, A, 2 * A)
    kernel = params["dense"]["kernel"]
    found = after["dense"]["penalty"]
    np.testing.assert_allclose(found["weights"], 0.01 * jnp.sum(kernel**2), rtol=1e-6)
    expected = 0.01 * (jnp.abs(A @ kernel).sum() + jnp.abs(2 * A @ kernel).sum()) / 4
    np.testing.assert_allclose(found["calls"], expected, rtol=1e-5)


class TestTransformations:
    def initialized(self):
        network = branching_graph()
        return network, *network.init(KEY, A, B)

    def test_jit_equals_eager(self):
        network, params, state = self.initialized()
        eager = network.apply(params, state, A, B)[0]
        for one, other in zip(jax.jit(network.apply)(params, state, A, B)[0], eager, strict=True):
            # Sums of numbers of about 1 have rounding errors of 1e-7, even if they are nearly 0.
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)

    def test_grad_and_checkpoint(self):
        network, params, state = self.initialized()

        def loss(params, apply):
            return sum(jnp.sum(out**2) for out in apply(params, state, A, B)[0])

        plain = jax.grad(loss)(params, network.apply)
        saved = jax.grad(loss)(params, jax.checkpoint(network.apply))
        for one, other in zip(*map(jax.tree.leaves, (plain, saved)), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)

    def test_vmap_over_keys_and_inputs(self):
        network, params, state = self.initialized()
        stacked = jax.vmap(lambda key: network.init(key, A, B))(jax.random.split(KEY, 3))
        assert stacked[0]["dense"]["kernel"].shape == (3, 3, 4)
        mapped = jax.vmap(lambda a, b: network.apply(params, state, a[None], b[None])[0])(A, B)
        np.testing.assert_allclose(
            mapped[0][:, 0], network.apply(params, state, A, B)[0][0], rtol=1e-5
        )

    def test_scan_carries_the_state(self):
        a = Input((3,))
        network = graph(a, Dropout(0.5)(BatchNormalization()(a)))
        params, state = network.init(KEY, A)

        def step(state, key):
            _, state = network.apply(params, state, A, key=key, training=True)
            return state, None

        keys = jax.random.split(KEY, 2)
        carried, _ = jax.lax.scan(step, state, keys)
        looped = step(step(state, keys[0])[0], keys[1])[0]
        np.testing.assert_allclose(
            *(s["batch_normalization"]["moving_mean"] for s in (carried, looped)), rtol=1e-6
        )


def test_graphs_and_serials_nest():
    a = Input((3,))
    inner = graph(a, Dense(4)(a), name="inner")
    b = Input((3,))
    outer = graph(b, serial(inner, Dense(2))(b) + Dense(2)(Flatten()(b)))
    params, state = outer.init(KEY, A)
    assert set(params) == {"sequential", "flatten", "dense", "add"}
    assert params["sequential"]["inner"]["dense"]["kernel"].shape == (3, 4)
    assert outer.apply(params, state, A)[0].shape == (4, 2)


def test_eval_shapes_agrees_with_init_and_apply():
    network = branching_graph()
    specs = [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in (A, B)]
    known = network.eval_shapes(*specs)
    params, state = network.init(KEY, A, B)
    assert jax.tree.map(lambda s: s.shape, known.params) == jax.tree.map(jnp.shape, params)
    outputs, _ = network.apply(params, state, A, B)
    assert [spec.shape for spec in known.outputs] == [out.shape for out in outputs]
    assert list(known.params) == list(network.names)


def test_with_children_keeps_names_and_calls():
    network = branching_graph()
    other = network.with_children([Dense(3), Dense(4), *network.layers[2:]])
    assert other.names == network.names
    assert other.calls == network.calls


def deep(count):
    a = Input((3,))
    h = a
    for _ in range(count):
        h = Dense(3)(h)
    return graph(a, h)


def test_a_graph_may_be_deeper_than_the_recursion_limit():
    network = deep(2_000)
    assert len(network.layers) == 2_000
    assert network.names[-1] == "dense_1999"


def two_inputs():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    return a, b


REFUSED = {
    "an input is missing": (
        lambda a, b: graph(a, a + b),
        ValueError,
        r"disconnected: an output needs the input <SymbolicTensor .* of 'b'>, .* Add it",
    ),
    "another input of the same name": (
        lambda a, b: graph(a, Dense(2)(Input((3,), name="a"))),
        ValueError,
        "An input of this name is another tensor: was `Input` called again",
    ),
    "an unused input": (
        lambda a, b: graph([a, b], a * 2),
        ValueError,
        r"no output depends on the input <SymbolicTensor .* of 'b'>\. Leave it out",
    ),
    "inputs and outputs exchanged": (
        lambda a, b: graph(Dense(2)(a), a),
        ValueError,
        "needs the input <SymbolicTensor .* of 'a'>",
    ),
    "an input twice": (lambda a, b: graph([a, a], a * 2), ValueError, "twice: give each input"),
    "a layer as output": (
        lambda a, b: graph(a, Dense(3)),
        TypeError,
        "must be symbolic tensors",
    ),
    "no inputs": (lambda a, b: graph([], a), TypeError, "`inputs` is empty"),
    "two layers of one name": (
        lambda a, b: graph(a, Dense(2, name="x")(Dense(2, name="x")(a))),
        ValueError,
        "Two layers are named 'x'",
    ),
    "a layer with the name of an input": (
        lambda a, b: graph(a, Dense(2, name="a")(a)),
        ValueError,
        "Two layers are named 'a'",
    ),
    "two inputs of one name": (
        lambda a, b: graph([a, Input((3,), name="a")], a * 2),
        ValueError,
        "leads|named 'a'|depends",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_graphs_are_refused(name):
    make, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        make(*two_inputs())


def test_errors_name_the_expected_inputs():
    network = branching_graph()
    params, state = network.init(KEY, A, B)
    with pytest.raises(ValueError, match="takes the inputs a, b as 2 arguments, received 1"):
        network.apply(params, state, A)
    with pytest.raises(ValueError, match="received one dict with the names 'a', 'b'"):
        network.apply(params, state, {"a": A, "b": B})
    with pytest.raises(ValueError, match=r"declared input has shape \(None, 3\)") as raised:
        network.apply(params, state, B, A)
    assert "In layer 'a'" in raised.value.__notes__[0]


def test_a_graph_is_a_layer():
    assert isinstance(branching_graph(), Graph)
    a = Input((3,))
    init, apply = graph(a, Dense(2)(a))
    params, state = init(KEY, A)
    assert apply(params, state, A)[0].shape == (4, 2)
