"""Attention compared with `jax.nn.dot_product_attention`, and its edge cases."""

import jax
import jax.numpy as jnp
import numpy as np

from fjax.lowering.attention import attention_weights, causal_mask, weighted_values, window_mask

RANDOM = np.random.default_rng(0)
QUERY, KEY, VALUE = (
    jnp.asarray(RANDOM.normal(size=(2, length, heads, 3)).astype("float32"))
    for length, heads in ((4, 4), (5, 2), (5, 2))
)


def test_shared_heads_and_masks_match_jax():
    mask = causal_mask(4, 5)
    outputs = weighted_values(attention_weights(QUERY, KEY, mask, 0.5), VALUE)
    expected = jax.nn.dot_product_attention(QUERY, KEY, VALUE, mask=mask[None, None], scale=0.5)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)


def test_half_precision_is_summed_in_single_precision():
    query, key, value = (array.astype(jnp.bfloat16) for array in (QUERY, KEY, VALUE))
    weights = attention_weights(query, key)
    assert weights.dtype == jnp.float32
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, rtol=1e-6)
    assert weighted_values(weights, value).dtype == jnp.bfloat16


def test_a_query_whose_keys_are_all_masked():
    all_masked = jnp.zeros((4, 5), bool)
    uniform = attention_weights(QUERY, KEY, all_masked)
    np.testing.assert_allclose(uniform, 0.2, rtol=1e-6)
    zeros = attention_weights(QUERY, KEY, all_masked, zero_where_empty=True)
    assert (np.asarray(zeros) == 0).all()
    gradient = jax.grad(lambda query: attention_weights(query, KEY, all_masked).sum())(QUERY)
    assert np.isfinite(gradient).all()


def test_a_window_of_one_is_the_identity():
    np.testing.assert_array_equal(window_mask(3, 3, 1), np.eye(3, dtype=bool))
