"""`device`, the context that chooses the default device."""

import jax
import numpy as np
import pytest

import fjax


def test_arrays_within_the_context_are_on_the_device():
    layer = fjax.layers.Dense(2)
    with fjax.device("cpu:0"), fjax.device(jax.devices("cpu")[0]):
        outputs = layer(np.ones((3, 4)))
    assert outputs.device == jax.devices("cpu")[0]


@pytest.mark.parametrize(
    ("name", "error"), [("cpu:99", ValueError), ("xpu", ValueError), (0, TypeError)]
)
def test_a_device_that_does_not_exist(name, error):
    with pytest.raises(error, match="`device`"):
        fjax.device(name)
