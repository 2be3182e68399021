"""What `fjax.ops` is, and what it is not."""

import pytest

import fjax


def test_a_name_of_kerass_operations_leads_to_jax_numpy():
    with pytest.raises(AttributeError, match=r"`fjax.ops` has no `matmul`.* `jax.numpy`"):
        fjax.ops.matmul  # noqa: B018
