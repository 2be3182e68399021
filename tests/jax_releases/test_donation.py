"""Programs that donate their arguments."""

import jax.numpy as jnp
import numpy as np
import pytest

pytestmark = pytest.mark.short


def test_donated_values_that_are_returned_last(compiled):
    """jax#39625: on a GPU, outputs before the donated values were written over them."""
    state = tuple(jnp.float32(value) for value in (1, 2, 3))

    def step(state, value):
        zero = value - value
        return (zero, zero, zero), state

    outputs, state = compiled(step, donate_argnums=0)(state, jnp.float32(0))
    assert [float(value) for value in outputs] == [0, 0, 0]
    assert [float(value) for value in state] == [1, 2, 3]


def test_donated_values_that_are_swapped(compiled):
    """A step that swaps two donated arrays needs a temporary copy of one of them."""
    first, second = np.arange(1000, dtype="float32"), -np.arange(1000, dtype="float32")

    def step(pair):
        one, other = pair
        return other + 1, one + 1

    swap = compiled(step, donate_argnums=0)
    pair = swap(swap(swap((jnp.array(first), jnp.array(second)))))
    np.testing.assert_array_equal(pair[0], second + 3)
    np.testing.assert_array_equal(pair[1], first + 3)
