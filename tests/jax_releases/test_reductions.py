"""Reductions that some release of jaxlib computed wrongly or crashed in, compared with numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.short

# One row more than a tile: jaxlib 0.10.2 ignored the rows after the first tile.
COUNT = 2**15 + 1
RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(3, 3)).astype("float32")
ROWS = RNG.normal(size=(COUNT, 3)).astype("float32")


def squared_lengths(rows):
    """Return the squared length of each row's product with the matrix."""
    return jax.vmap(lambda row: jnp.sum((MATRIX @ row) ** 2))(rows)


def expected_lengths():
    return ((ROWS.astype("float64") @ MATRIX.T.astype("float64")) ** 2).sum(axis=1)


def test_sum_of_squares_of_each_row(compiled):
    """jax#39103: with jaxlib 0.10.2 the rows after the first 32,768 were wrong."""
    lengths = compiled(squared_lengths)(ROWS)
    np.testing.assert_allclose(lengths, expected_lengths(), rtol=1e-5)


def test_sum_of_each_row(compiled):
    """jax#39103 with a function between the product and the sum."""
    sums = compiled(jax.vmap(lambda row: jnp.sum(jnp.tanh(MATRIX @ row))))(ROWS)
    expected = np.tanh(ROWS.astype("float64") @ MATRIX.T.astype("float64")).sum(axis=1)
    np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-5)


def test_a_model_with_such_a_reduction():
    """jax#39103 in the programs of a model: predictions, and a loss and its gradient."""
    expected = expected_lengths()
    model = fjax.Sequential(
        [
            fjax.Input((3,)),
            fjax.layers.Lambda(squared_lengths),
            fjax.layers.Reshape((1,)),
            fjax.layers.Dense(1, kernel_initializer="ones", bias_initializer="zeros"),
        ]
    )
    model.compile(fjax.optimizers.SGD(0.5), "mse")
    predictions = model.predict(ROWS, batch_size=COUNT, verbose=0)
    np.testing.assert_allclose(predictions[:, 0], expected, rtol=1e-5)
    targets = np.zeros((COUNT, 1), "float32")
    history = model.fit(ROWS, targets, batch_size=COUNT, verbose=0, shuffle=False)
    np.testing.assert_allclose(history.history["loss"], [(expected**2).mean()], rtol=1e-5)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel, 1 - 0.5 * 2 * (expected**2).mean(), rtol=1e-5)
    np.testing.assert_allclose(bias, -0.5 * 2 * expected.mean(), rtol=1e-5)


PRODUCTS = """
import jax.numpy as jnp
import numpy as np
{import_jit}
rng = np.random.default_rng(0)
a = rng.normal(size={shape}).astype("float32")
b = rng.normal(size={other}).astype("float32")
sums = jit(lambda a, b: jnp.sum(a * b, axis={axis}))(a, b)
expected = (a.astype("float64") * b).sum(axis={axis})
np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-5)
"""


@pytest.mark.parametrize(
    ("shape", "other", "axis"),
    [
        # jax#40412: jaxlib 0.10.2 reads beyond its buffers and crashes.
        ((3, 1, 2, 2, 8, 8, 8), (3, 1, 2, 2, 8, 8, 8), 3),
        # jax#39257: jaxlib 0.10.2 and 0.11.0 crash or hang.
        ((2, 2, 3, 1, 1, 1, 1, 1), (2, 2, 3, 5, 5, 5, 5, 5), 2),
    ],
    ids=["40412", "39257"],
)
def test_sum_of_products_of_many_axes(run_alone, import_jit, shape, other, axis):
    run_alone(PRODUCTS.format(import_jit=import_jit, shape=shape, other=other, axis=axis))
