"""The attention computation beside `jax.nn` and beside itself in other shapes."""

import jax
import jax.numpy as jnp
import numpy as np

from fjax.lowering.attention import attention_weights, causal_mask, weighted_values, window_mask

RANDOM = np.random.default_rng(0)
QUERY, KEY, VALUE = (
    jnp.asarray(RANDOM.normal(size=(2, length, heads, 3)).astype("float32"))
    for length, heads in ((4, 4), (5, 2), (5, 2))
)


def test_shared_heads_and_masks_as_jax_has_them():
    mask = causal_mask(4, 5)
    found = weighted_values(attention_weights(QUERY, KEY, mask, 0.5), VALUE)
    expected = jax.nn.dot_product_attention(QUERY, KEY, VALUE, mask=mask[None, None], scale=0.5)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_half_precision_is_summed_in_single():
    half = [value.astype(jnp.bfloat16) for value in (QUERY, KEY, VALUE)]
    weights = attention_weights(*half[:2])
    assert weights.dtype == jnp.float32
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, rtol=1e-6)
    assert weighted_values(weights, half[2]).dtype == jnp.bfloat16


def test_a_query_without_a_key():
    nothing = jnp.zeros((4, 5), bool)
    alike = attention_weights(QUERY, KEY, nothing)
    np.testing.assert_allclose(alike, 0.2, rtol=1e-6)
    zeros = attention_weights(QUERY, KEY, nothing, zero_where_empty=True)
    assert (np.asarray(zeros) == 0).all()
    gradient = jax.grad(lambda q: attention_weights(q, KEY, nothing).sum())(QUERY)
    assert np.isfinite(gradient).all()


def test_a_window_of_one_is_each_step_itself():
    np.testing.assert_array_equal(window_mask(3, 3, 1), np.eye(3, dtype=bool))
