"""Gradient clipping, compared with the formulas in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax.optimizers import clipping

pytestmark = pytest.mark.short

GRADS = {"a": jnp.array([3.0, -4.0]), "b": {"c": jnp.array([[0.1, -0.2]])}, "d": jnp.float32(0.0)}


def test_clip_by_value():
    clipped = clipping.clip_by_value(GRADS, 0.15)
    np.testing.assert_allclose(clipped["a"], [0.15, -0.15])
    np.testing.assert_allclose(clipped["b"]["c"], [[0.1, -0.15]])


def test_clip_by_norm_clips_each_array_separately():
    clipped = clipping.clip_by_norm(GRADS, 1.0)
    np.testing.assert_allclose(clipped["a"], [0.6, -0.8], rtol=1e-6)
    np.testing.assert_array_equal(clipped["b"]["c"], GRADS["b"]["c"])
    assert clipped["d"] == 0.0


def test_clip_by_global_norm_keeps_the_direction():
    norm = np.sqrt(25.05)
    np.testing.assert_allclose(clipping.global_norm(GRADS), norm, rtol=1e-6)
    clipped = clipping.clip_by_global_norm(GRADS, 1.0)
    for before, after in zip(jax.tree.leaves(GRADS), jax.tree.leaves(clipped), strict=True):
        np.testing.assert_allclose(after, before / norm, rtol=1e-6)
    unclipped = clipping.clip_by_global_norm(GRADS, 6.0)
    assert all(map(np.array_equal, jax.tree.leaves(unclipped), jax.tree.leaves(GRADS)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_clip_by_global_norm_makes_all_gradients_nan_if_one_is_not_finite(value):
    clipped = clipping.clip_by_global_norm({"a": jnp.array([value]), "b": jnp.ones(2)}, 1.0)
    assert all(np.isnan(leaf).all() for leaf in jax.tree.leaves(clipped))


@pytest.mark.parametrize(
    "clip", [clipping.clip_by_value, clipping.clip_by_norm, clipping.clip_by_global_norm]
)
def test_dtypes_are_preserved_and_empty_trees_accepted(clip):
    clipped = clip({"a": jnp.ones(3, jnp.bfloat16), "b": jnp.ones(2)}, 0.1)
    assert [leaf.dtype for leaf in jax.tree.leaves(clipped)] == [jnp.bfloat16, jnp.float32]
    assert clip({}, 0.1) == {}
