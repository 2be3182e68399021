"""Constraints: values, names, configuration and errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import constraints, regularizers
from fjax.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm

pytestmark = pytest.mark.short

W = jnp.asarray(np.random.default_rng(0).normal(scale=2.0, size=(5, 3, 4)), "float32")
EACH = [
    MaxNorm(1.5),
    MaxNorm(3, axis=[0, 1]),
    MaxNorm(2, axis=None),
    MinMaxNorm(1.0, 2.0, axis=-1),
    MinMaxNorm(6.0, 8.0, rate=0.5),
    NonNeg(),
    UnitNorm(),
    UnitNorm((0, 2)),
]
each = pytest.mark.parametrize("constraint", EACH, ids=repr)


def norms(w, axis):
    return np.sqrt(np.square(w).sum(axis))


@each
def test_works_under_jit_vmap_and_grad(constraint):
    value = constraint(W)
    assert (value.shape, value.dtype) == (W.shape, W.dtype)
    np.testing.assert_allclose(jax.jit(constraint)(W), value, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(constraint)(jnp.stack([W, -W]))[0], value, rtol=1e-6)
    assert np.isfinite(jax.grad(lambda w: constraint(w).sum())(W)).all()


@each
def test_half_precision_is_preserved(constraint):
    value = constraint(W.astype(jnp.bfloat16))
    assert value.dtype == jnp.bfloat16
    np.testing.assert_allclose(value.astype("float32"), constraint(W), rtol=0.02, atol=0.02)


@each
def test_zeros_stay_finite(constraint):
    np.testing.assert_array_equal(constraint(jnp.zeros_like(W)), jnp.zeros_like(W))


@each
def test_from_config_returns_an_equal_constraint(constraint):
    again = type(constraint).from_config(constraint.get_config())
    assert again == constraint
    assert hash(again) == hash(constraint)


def test_norms_and_signs_satisfy_the_constraints():
    assert norms(MaxNorm(1.5)(W), 0).max() <= 1.5 + 1e-6
    np.testing.assert_allclose(norms(UnitNorm((0, 2))(W), (0, 2)), 1.0, rtol=1e-6)
    between = norms(MinMaxNorm(1.0, 2.0, axis=-1)(W), -1)
    assert between.min() >= 1.0 - 1e-6
    assert between.max() <= 2.0 + 1e-6
    assert NonNeg()(W).min() == 0
    halfway = norms(MinMaxNorm(6.0, 8.0, rate=0.5)(W), 0)
    np.testing.assert_allclose(halfway, (np.clip(norms(W, 0), 6, 8) + norms(W, 0)) / 2, rtol=1e-5)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("max_norm", MaxNorm(2)),
        ("MinMaxNorm", MinMaxNorm()),
        ("non_neg", NonNeg()),
        ("unit_norm", UnitNorm()),
        (MaxNorm, MaxNorm()),
        (constraints.max_norm(3), MaxNorm(3.0)),
        ({"class_name": "UnitNorm", "config": {"axis": [0, 1]}}, UnitNorm((0, 1))),
        (jnp.abs, jnp.abs),
        (None, None),
    ],
)
def test_get(identifier, expected):
    assert constraints.get(identifier) == expected


def test_a_subclass_without_call_raises():
    with pytest.raises(NotImplementedError, match="`Constraint` must define `__call__"):
        Constraint()(W)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: constraints.get("maxnorm"), ValueError, "'maxnorm'. Did you mean `MaxNorm`"),
        (lambda: constraints.get("nonneg"), ValueError, "Did you mean `NonNeg`"),
        (lambda: constraints.get(2), TypeError, "known constraint.* received 2"),
        (lambda: constraints.get(regularizers.L2()), TypeError, r"received L2\(\)"),
        (lambda: MaxNorm(-1), ValueError, r"`MaxNorm`: `max_value` .*\[0, inf\), received -1"),
        (lambda: MaxNorm(axis=0.5), ValueError, "`axis` must be an integer .* received 0.5"),
        (lambda: UnitNorm([0, "a"]), ValueError, "`UnitNorm`: `axis` must be an integer"),
        (lambda: MinMaxNorm(2.0, 1.0), ValueError, r"`max_value` .*\[2, inf\), received 1.0"),
        (lambda: MinMaxNorm(rate=1.5), ValueError, r"`rate` must be a number in \[0, 1\]"),
        (
            lambda: UnitNorm(3)(W),
            ValueError,
            r"`UnitNorm`: a weight of shape \(5, 3, 4\) has no axis 3",
        ),
        (lambda: MaxNorm(axis=(0, -4))(W), ValueError, r"has no axis \(0, -4\)"),
    ],
)
def test_invalid_arguments_raise(make, error, message):
    with pytest.raises(error, match=message):
        make()
