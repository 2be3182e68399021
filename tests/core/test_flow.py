"""The origins of values are followed through the operations and transformations of JAX."""

import jax
import jax.numpy as jnp
import pytest

from fjax.core.flow import Origin, find_origins, mark

FUNCTIONS = {
    "operations": lambda a, b: jnp.tanh(a) * b + 1,
    "jit": lambda a, b: jax.jit(lambda x, y: x @ y)(a, b),
    "vmap": lambda a, b: jax.vmap(jnp.dot)(a, b),
    "checkpoint": lambda a, b: jax.checkpoint(lambda x, y: x - y)(a, b),
    "custom gradient": lambda a, b: jax.nn.relu(a) + jax.nn.silu(b),
    "a loop": lambda a, b: jax.lax.fori_loop(0, 3, lambda i, x: x + b, a),
    "a branch": lambda a, b: jax.lax.cond(a.sum() > 0, lambda x, y: x, lambda x, y: y, a, b),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_value_has_the_origins_of_both_operands(name):
    def run(inputs):
        first, second = mark((inputs, inputs), "out", "a")
        return mark(FUNCTIONS[name](first, second), "in", "b")

    jaxpr = jax.make_jaxpr(run)(jax.ShapeDtypeStruct((2, 2), "float32")).jaxpr
    found = find_origins(jaxpr, [(Origin(None, 0),)])
    assert set(found["b", 0]) == {Origin("a", 0), Origin("a", 1)}


def test_unrelated_values_are_kept_apart():
    @jax.jit
    def swap(x, y):
        return y, x

    def run(one, two):
        left = mark(one * 2, "out", "left")
        return mark(swap(left, two), "in", "end"), mark((3.0, one), "in", "other")

    spec = jax.ShapeDtypeStruct((2,), "float32")
    found = find_origins(
        jax.make_jaxpr(run)(spec, spec).jaxpr, [(Origin(None, 0),), (Origin(None, 1),)]
    )
    assert found == {
        ("end", 0): (Origin(None, 1),),
        ("end", 1): (Origin("left", 0),),
        ("other", 1): (Origin(None, 0),),
    }
