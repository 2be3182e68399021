"""Embedding lookup: valid and invalid indices, and the gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax.lowering import lookup

pytestmark = pytest.mark.short

TABLE = jnp.asarray(np.random.default_rng(0).normal(size=(5, 3)), "float32")


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float32", "bfloat16"])
def test_indices_of_any_dtype(dtype):
    ids = jnp.array([[0, 4], [2, 2]], dtype)
    np.testing.assert_array_equal(lookup(TABLE, ids), TABLE[np.array([[0, 4], [2, 2]])])


@pytest.mark.parametrize("bad", [5, -1, 2**30, -(2**30), 0.5, 4.5, -0.5, np.nan, np.inf, -np.inf])
def test_an_invalid_index_gives_nan(bad):
    ids = jnp.array([1, bad])
    for rows in (lookup(TABLE, ids), jax.jit(lookup)(TABLE, ids)):
        np.testing.assert_array_equal(rows[0], TABLE[1])
        assert np.isnan(rows[1]).all()


def test_the_gradient_sums_over_repeated_indices():
    ids = jnp.array([[0, 4, 2], [2, 2, -1]])
    weights = jnp.arange(18.0).reshape(2, 3, 3)

    def loss(table):
        return jnp.nansum(lookup(table, ids) * weights)

    expected = np.zeros((5, 3), "float32")
    np.add.at(expected, np.array(ids)[:, :2], np.array(weights)[:, :2])
    expected[2] += np.array(weights)[0, 2]
    np.testing.assert_array_equal(jax.grad(loss)(TABLE), expected)
    gradients = jax.vmap(jax.grad(loss))(jnp.stack([TABLE, 2 * TABLE]))
    np.testing.assert_array_equal(gradients[1], expected)
