"""The package's top-level names."""

import pytest

import fjax


def test_the_error_for_keras_ops_points_to_jax_numpy():
    with pytest.raises(AttributeError, match=r"`fjax` has no `ops`.* `jax.numpy`"):
        fjax.ops  # noqa: B018
