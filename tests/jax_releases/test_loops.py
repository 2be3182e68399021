"""Loops that some release of jaxlib ran wrongly, or without end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

pytestmark = pytest.mark.short

WRITES = """
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
count = 1_000_000
write = lambda index, values: values.at[index].set(2 * index)
written = jax.jit(lambda: lax.fori_loop(0, count, write, jnp.zeros(count, jnp.int32)))()
np.testing.assert_array_equal(written, 2 * np.arange(count))
"""


def test_small_writes_to_a_large_array(run_alone):
    """jax#40101: jaxlib 0.11.1 copied the whole array for each entry that a loop writes.

    A right release needs a hundredth of a second for this loop, and 0.11.1 several minutes.
    """
    run_alone(WRITES, timeout=60)


def test_stacked_outputs_of_a_mapped_scan(compiled):
    """A program like that of jax#36958, where a scan under `vmap` returned wrong values."""
    steps, members = 7, 5
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(members, steps)).astype("float32")
    first = rng.normal(size=members).astype("float32")

    def run(first, inputs):
        def step(carry, entry):
            carry = jnp.where(entry > 0, carry * 0.5 + entry, carry)
            return carry, carry**2

        return lax.scan(step, first, inputs)

    last, outputs = compiled(jax.vmap(run))(first, inputs)
    carry, expected = first.astype("float64"), []
    for entry in inputs.T.astype("float64"):
        carry = np.where(entry > 0, carry * 0.5 + entry, carry)
        expected.append(carry**2)
    np.testing.assert_allclose(last, carry, rtol=1e-6)
    np.testing.assert_allclose(outputs, np.stack(expected, axis=1), rtol=1e-6)


def test_gradient_through_a_cond_in_a_scan(compiled):
    """jax#5900: the gradient of `cond` in `scan` was three times too large."""

    def power(base):
        def step(carry, index):
            return lax.cond(index < 4, lambda c: c * base, lambda c: c, carry), None

        return lax.scan(step, 1.0, jnp.arange(6))[0]

    value, slope = compiled(jax.value_and_grad(power))(3.0)
    assert (float(value), float(slope)) == (81.0, 108.0)
