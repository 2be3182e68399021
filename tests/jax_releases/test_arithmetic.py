"""Single operations of training steps, on inputs at the edges of tiles, compared with numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytestmark = pytest.mark.short

COUNTS = [1, 31, 1025, 2**15 + 1]


@pytest.mark.parametrize("count", COUNTS)
def test_sums_and_extremes_of_integers(compiled, count):
    """Sums of integers are exact in any order."""
    values = np.random.default_rng(0).integers(-50, 50, (count, 3))

    def reduce(values):
        return (
            values.sum(axis=0),
            jnp.cumsum(values, axis=0),
            values.max(axis=0),
            values.argmin(axis=0),
            jnp.sort(values, axis=0),
        )

    reduced = compiled(reduce)(values.astype("float32"))
    expected = (
        values.sum(axis=0),
        values.cumsum(axis=0),
        values.max(axis=0),
        values.argmin(axis=0),
        np.sort(values, axis=0),
    )
    for array, right in zip(reduced, expected, strict=True):
        np.testing.assert_array_equal(array, right)


@pytest.mark.parametrize("count", COUNTS)
def test_half_precision_is_summed_in_full_precision(compiled, count):
    """bfloat16 has 8 bits: a sum of ones in it would stop at 256."""
    values = jnp.ones((count, 2), jnp.bfloat16)
    sums = compiled(lambda values: jnp.sum(values, axis=0))(values)
    np.testing.assert_array_equal(sums, jnp.full(2, count, jnp.bfloat16))


def test_the_maximum_of_nan_is_nan(compiled):
    values = np.arange(6, dtype="float32").reshape(2, 3)
    values[1, 0] = np.nan
    maxima, places = compiled(lambda v: (v.max(axis=1), v.argmax(axis=1)))(values)
    np.testing.assert_array_equal(maxima, [2, np.nan])
    np.testing.assert_array_equal(places, [2, 0])


@pytest.mark.parametrize("rank", [4, 9])
def test_products_of_many_axes(compiled, rank):
    """jax#35646: jaxlib 0.9.1 did not finish compiling programs with more than eight axes."""
    rng = np.random.default_rng(0)
    values = rng.integers(-3, 4, (2,) * rank)
    others = rng.integers(-3, 4, (2,) * rank)
    letters = "abcdefghi"[:rank]
    equation = f"{letters},{letters}->{letters[1:]}"

    def contract(a, b):
        return jnp.einsum(equation, a, b) + jnp.swapaxes(a, 0, rank - 1).sum(axis=0)

    products = compiled(contract)(values.astype("float32"), others.astype("float32"))
    expected = (values * others).sum(axis=0) + np.swapaxes(values, 0, rank - 1).sum(axis=0)
    np.testing.assert_array_equal(products, expected)


def test_the_gradient_of_gathered_rows(compiled):
    """The gradients of repeated indices are added."""
    rng = np.random.default_rng(0)
    table, rows = rng.integers(-9, 9, (7, 3)), rng.integers(0, 7, 2**15 + 1)

    def total(table):
        return jnp.sum(table[rows] * 2.0)

    gradient = compiled(jax.grad(total))(table.astype("float32"))
    counts = np.bincount(rows, minlength=7)
    np.testing.assert_array_equal(gradient, np.repeat(2 * counts[:, None], 3, axis=1))
