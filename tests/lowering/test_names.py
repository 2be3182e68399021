"""What `fjax.lowering` is, and what it is not."""

import pytest

import fjax


def test_a_name_of_kerass_operations_leads_to_jax_numpy():
    with pytest.raises(AttributeError, match=r"`fjax.lowering` has no `matmul`.* `jax.numpy`"):
        fjax.lowering.matmul  # noqa: B018
