"""Regularizers: values, gradients, names, configuration and errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import constraints, regularizers
from fjax.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer

pytestmark = pytest.mark.short

X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), "float32")
EACH = [L1(0.1), L2(0.1), L1L2(0.1, 0.2), OrthogonalRegularizer(0.5, "columns")]
each = pytest.mark.parametrize("regularizer", EACH, ids=repr)


@each
def test_works_under_jit_grad_vmap_and_eval_shape(regularizer):
    value = regularizer(X)
    assert (value.shape, value.dtype, bool(value > 0)) == ((), jnp.float32, True)
    np.testing.assert_allclose(jax.jit(regularizer)(X), value, rtol=1e-6)
    stacked = jax.vmap(regularizer)(jnp.stack([X, X.T.reshape(4, 3)]))
    np.testing.assert_allclose(stacked[0], value, rtol=1e-6)
    assert jax.eval_shape(regularizer, X).shape == ()
    direction = jnp.ones_like(X)
    derivative = jnp.vdot(jax.grad(regularizer)(X), direction)
    values = [regularizer(X + step * direction) for step in (1e-2, -1e-2)]
    np.testing.assert_allclose(derivative, (values[0] - values[1]) / 2e-2, rtol=1e-2, atol=1e-3)


@each
def test_zeros_have_finite_gradients(regularizer):
    assert np.isfinite(jax.grad(regularizer)(jnp.zeros((4, 3)))).all()


@each
def test_half_precision_is_summed_in_float32(regularizer):
    half = X.astype(jnp.bfloat16)
    value = regularizer(half)
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, regularizer(half.astype("float32")), rtol=1e-6)


def test_the_sum_of_many_half_precision_entries_is_exact():
    assert float(L1(1.0)(jnp.ones(5000, jnp.float16) * 16)) == 80_000


@each
def test_from_config_returns_an_equal_regularizer(regularizer):
    again = type(regularizer).from_config(regularizer.get_config())
    assert again == regularizer
    assert hash(again) == hash(regularizer)
    described = {"class_name": type(regularizer).__name__, "config": regularizer.get_config()}
    assert regularizers.get(described) == regularizer


def test_none_means_the_default_as_in_keras():
    assert (L1(None), L2(None), L1L2(None, 0.5)) == (L1(), L2(), L1L2(0.0, 0.5))


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("l1", L1()),
        ("L2", L2()),
        ("l1_l2", L1L2()),
        ("l1l2", L1L2()),
        ("orthogonal_regularizer", OrthogonalRegularizer()),
        (L2, L2()),
        (regularizers.l1(0.3), L1(0.3)),
        (regularizers.l1_l2(l2=0.3), L1L2(0.0, 0.3)),
        (jnp.sum, jnp.sum),
        (None, None),
    ],
)
def test_get(identifier, expected):
    assert regularizers.get(identifier) == expected


class Largest(Regularizer):
    factor: float = 0.1

    def __call__(self, x):
        return self.factor * jnp.max(jnp.abs(x))


def test_custom_subclasses():
    assert regularizers.get(Largest(0.5)) == Largest(0.5)
    with pytest.raises(NotImplementedError, match="`Regularizer` must define `__call__"):
        Regularizer()(X)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: regularizers.get("l3"), ValueError, "Unknown regularizer 'l3'. Known: L1,"),
        (lambda: regularizers.get("l1_l3"), ValueError, "'l1_l3'. Did you mean `l1_l2`"),
        (lambda: regularizers.get("orthogonal"), ValueError, "mean `OrthogonalRegularizer`"),
        (lambda: regularizers.get(0.01), TypeError, "known regularizer.* received 0.01"),
        (lambda: regularizers.get(constraints.NonNeg()), TypeError, r"received NonNeg\(\)"),
        (lambda: L1(-0.1), ValueError, r"`L1`: `l1` must be a number in \[0, inf\), received -0.1"),
        (lambda: L2("a"), ValueError, "`L2`: `l2` must be a number .* received 'a'"),
        (lambda: L2(float("nan")), ValueError, "received nan"),
        (lambda: L2(True), ValueError, "received True"),
        (lambda: L1L2(0.1, -1), ValueError, "`L1L2`: `l2` .* received -1"),
        (lambda: L1L2(l3=1), TypeError, "no argument `l3`. It takes: l1, l2"),
        (lambda: OrthogonalRegularizer(None), ValueError, "`factor` .* received None"),
        (lambda: OrthogonalRegularizer(mode="row"), ValueError, "Did you mean `rows`"),
        (lambda: OrthogonalRegularizer()(X[0]), ValueError, r"needs a matrix, .* shape \(3,\)"),
        (lambda: OrthogonalRegularizer()(X[:1]), ValueError, r"two rows, .* shape \(1, 3\)"),
        (
            lambda: OrthogonalRegularizer(mode="columns")(X[:, :1]),
            ValueError,
            r"two columns, .* \(4, 1\)",
        ),
    ],
)
def test_invalid_arguments_raise(make, error, message):
    with pytest.raises(error, match=message):
        make()
