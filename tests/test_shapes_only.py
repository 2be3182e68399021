"""Initializers skip their random numbers where only shapes are wanted, and nowhere else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax.core.shapes import eval_shapes
from fjax.initializers import GlorotUniform, Orthogonal, RandomNormal
from fjax.layers import GRU, LSTM, Bidirectional, Dense, Layer

pytestmark = pytest.mark.short

SPEC = jax.ShapeDtypeStruct((2, 4, 3), "float32")


def primitives(function, *arguments):
    """Return the names of the primitives of a function, those of inner functions included."""
    names = set()

    def visit(jaxpr):
        for equation in jaxpr.eqns:
            names.add(equation.primitive.name)
            for value in equation.params.values():
                inner = getattr(value, "jaxpr", value)
                if hasattr(inner, "eqns"):
                    visit(inner)

    visit(jax.make_jaxpr(function)(*arguments).jaxpr)
    return names


@pytest.mark.parametrize("layer", [Dense(3), LSTM(3), GRU(3), Bidirectional(LSTM(3))], ids=repr)
def test_shapes_are_those_of_the_weights(layer):
    expected = jax.eval_shape(lambda key: layer.init(key, SPEC)[0], jax.random.key(0))
    shapes = eval_shapes(layer, SPEC).params
    assert jax.tree.map(lambda a: (a.shape, a.dtype), expected) == jax.tree.map(
        lambda a: (a.shape, a.dtype), shapes
    )


def test_nothing_is_drawn_where_only_shapes_are_wanted(monkeypatch):
    drawn = []
    for cls in (Orthogonal, GlorotUniform):
        own = cls.sample
        monkeypatch.setattr(
            cls, "sample", lambda *a, own=own: (drawn.append(type(a[0]).__name__), own(*a))[1]
        )
    # A patched class may compute anything, and is called.
    eval_shapes(LSTM(5), SPEC)
    assert set(drawn) == {"Orthogonal", "GlorotUniform"}
    monkeypatch.undo()
    assert "qr" not in primitives_of_shapes(LSTM(7))


def primitives_of_shapes(layer):
    """Return the primitives that an evaluation of a layer's shapes traces."""
    seen = set()
    own = jax.eval_shape

    def recorded(function, *arguments):
        seen.update(primitives(function, *arguments))
        return own(function, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "eval_shape", recorded)
        eval_shapes(layer, SPEC)
    return seen


def test_weights_that_are_drawn_in_a_compiled_function_keep_their_values():
    calls = []

    @jax.jit
    def drawn(key):
        calls.append(1)
        return Orthogonal()((3, 3), key=key)

    class Drawing(Layer):
        """A layer that calls a compiled function, which keeps its trace, for shapes alone."""

        def build(self, input_shape):
            self.table = self.add_weight(
                (3, 3), initializer=lambda key, shape, dtype: drawn(key), name="table"
            )

        def call(self, inputs):
            return inputs @ self.table

    model = fjax.Sequential([fjax.Input((3,)), Drawing()], seed=0)
    (table,) = model.get_weights()
    np.testing.assert_allclose(table @ table.T, np.eye(3), atol=1e-5)
    again = drawn(jax.random.key(0))
    np.testing.assert_allclose(again @ again.T, np.eye(3), atol=1e-5)


def test_weights_are_drawn_after_shapes_were_evaluated():
    layer = Dense(3, kernel_initializer=RandomNormal(1.0))
    eval_shapes(layer, SPEC)
    params, _ = layer.init(jax.random.key(0), SPEC)
    assert jnp.abs(params["kernel"]).min() > 0
    params, _ = jax.jit(lambda key: layer.init(key, SPEC))(jax.random.key(0))
    assert jnp.abs(params["kernel"]).min() > 0


def test_a_shape_that_an_initializer_refuses_is_an_error_where_shapes_are_evaluated():
    layer = Dense(3, bias_initializer="orthogonal")
    with pytest.raises(ValueError, match="needs a shape of at least two axes"):
        eval_shapes(layer, SPEC)
