"""What processes compare; runs of several are in `tests/distribution/test_processes.py`."""

import jax.numpy as jnp
import numpy as np
import pytest

from fjax.processes.checksums import COMPARED_BYTES, checksum, sample_rows

pytestmark = pytest.mark.short


def test_a_checksum_is_that_of_the_values():
    tree = {"kernel": np.arange(6.0).reshape(2, 3), "bias": jnp.ones(3)}
    assert checksum(tree) == checksum({name: np.array(value) for name, value in tree.items()})
    assert checksum(tree) != checksum({**tree, "bias": jnp.ones(3).at[2].set(1 + 2**-20)})


def test_large_arrays_are_not_compared():
    assert checksum(np.zeros(COMPARED_BYTES // 4, "float32")) is not None
    assert checksum(np.zeros(COMPARED_BYTES // 4 + 1, "float32")) is None


@pytest.mark.parametrize("row", [0, 999])
def test_other_rows_have_other_samples(row):
    data = np.arange(2000.0).reshape(1000, 2)
    changed = data.copy()
    changed[row] += 1
    assert sample_rows(data, 1000) == sample_rows(data.copy(), 1000)
    assert sample_rows(data, 1000) != sample_rows(changed, 1000)
