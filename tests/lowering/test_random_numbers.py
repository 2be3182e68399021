"""Random numbers along one axis are those of `jax.random` for the shape."""

import jax
import numpy as np
import pytest

from fjax.lowering.random_numbers import bernoulli, normal

pytestmark = pytest.mark.short


@pytest.mark.parametrize("shape", [(), (0,), (3, 5), (2, 1, 33), (2, 3, 5, 7)])
@pytest.mark.parametrize("generator", ["threefry2x32", "rbg"])
def test_numbers_do_not_depend_on_the_axes(shape, generator):
    key = jax.random.key(3, impl=generator)
    np.testing.assert_array_equal(bernoulli(key, 0.3, shape), jax.random.bernoulli(key, 0.3, shape))
    drawn = normal(key, shape, "float32")
    np.testing.assert_array_equal(drawn, jax.random.normal(key, shape, "float32"))
