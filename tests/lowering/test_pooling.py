"""Pooling beside XLA's own `reduce_window`, ties in its gradient as well."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fjax import lowering

LAST, FIRST = "channels_last", "channels_first"
CASES = {
    "side by side": ((2, 7, 6, 3), (2, 3), (2, 3), "valid", LAST),
    "overlapping": ((2, 7, 6, 3), (3, 2), (2, 1), "same", LAST),
    "apart": ((2, 9, 3), (2,), (4,), "same", LAST),
    "channels first": ((2, 3, 7, 6), (2, 2), (2, 2), "same", FIRST),
    "volume": ((2, 4, 3, 5, 2), (2, 2, 2), (2, 1, 2), "valid", LAST),
    "volume side by side": ((2, 4, 3, 5, 2), (2, 1, 2), (2, 1, 2), "valid", LAST),
    "many places side by side": ((2, 11, 10, 2), (5, 4), (5, 4), "same", LAST),
    "long": ((2, 70, 3), (40,), (10,), "same", LAST),
}
every_case = pytest.mark.parametrize("case", CASES)


def drawn(case, whole=False):
    """Inputs, options, and the window, strides and padding as XLA takes them."""
    shape, window, strides, padding, data_format = CASES[case]
    random = np.random.default_rng(0)
    inputs = random.integers(0, 3, shape) if whole else random.normal(size=shape)
    options = {"window": window, "strides": strides, "padding": padding, "data_format": data_format}
    ones = ((1,), (1,)) if data_format == LAST else ((1, 1), ())
    full = [(*ones[0], *sizes, *ones[1]) for sizes in (window, strides)]
    return jnp.asarray(inputs, "float32"), options, (*full, padding.upper())


def by_xla(values, kind, arguments):
    if kind == "max":
        return lax.reduce_window(values, -jnp.inf, lax.max, *arguments)
    sums = lax.reduce_window(values, 0.0, lax.add, *arguments)
    return sums / lax.reduce_window(jnp.ones_like(values), 0.0, lax.add, *arguments)


def everything(pool, values):
    """The outputs and the gradient, and how both change along a direction."""

    def loss(values):
        return jnp.sum(jnp.sin(pool(values)))

    direction = (jnp.cos(values),)
    return jax.jvp(pool, (values,), direction), jax.jvp(jax.grad(loss), (values,), direction)


@every_case
@pytest.mark.parametrize("kind", ["max", "average"])
def test_values_gradients_and_second_derivatives(kind, case):
    inputs, options, arguments = drawn(case)
    pool = lowering.max_pooling if kind == "max" else lowering.average_pooling
    ours = jax.jit(functools.partial(everything, functools.partial(pool, **options)))
    theirs = jax.jit(functools.partial(everything, lambda v: by_xla(v, kind, arguments)))
    for one, other in zip(
        jax.tree.leaves(ours(inputs)), jax.tree.leaves(theirs(inputs)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@every_case
def test_of_equal_values_the_first_has_the_gradient(case):
    inputs, options, arguments = drawn(case, whole=True)

    @jax.jit
    def both(values):
        ours = jax.grad(lambda v: jnp.sum(jnp.sin(lowering.max_pooling(v, **options))))(values)
        return ours, jax.grad(lambda v: jnp.sum(jnp.sin(by_xla(v, "max", arguments))))(values)

    np.testing.assert_allclose(*both(inputs), rtol=1e-5, atol=1e-6)


def test_other_kinds_of_numbers():
    inputs, options, _ = drawn("overlapping", whole=True)
    expected = {
        name: getattr(lowering, name)(inputs, **options)
        for name in ("max_pooling", "average_pooling")
    }
    for dtype in ("int32", "uint8", "bfloat16"):
        largest = lowering.max_pooling(inputs.astype(dtype), **options)
        assert largest.dtype == dtype
        np.testing.assert_array_equal(np.asarray(largest, "float32"), expected["max_pooling"])
        average = lowering.average_pooling(inputs.astype(dtype), **options)
        assert average.dtype == ("bfloat16" if dtype == "bfloat16" else "float32")
        np.testing.assert_allclose(
            np.asarray(average, "float32"), expected["average_pooling"], rtol=0.02, atol=0.02
        )


def test_what_is_no_number_is_the_maximum():
    values = jnp.array([1.0, jnp.nan, 3.0, 4.0]).reshape(1, 4, 1)
    found = lowering.max_pooling(values, window=[2], strides=[2], padding="valid")
    np.testing.assert_array_equal(found.ravel(), [np.nan, 4.0])


def test_a_stack_at_once():
    inputs, options, _ = drawn("channels first")
    stack = jnp.stack([inputs, -inputs])
    pool = functools.partial(lowering.max_pooling, **options)
    np.testing.assert_array_equal(jax.vmap(pool)(stack), jnp.stack([pool(one) for one in stack]))


def test_the_platform_decides_when_the_program_is_lowered():
    inputs, options, _ = drawn("overlapping")
    traced = jax.jit(lambda values: lowering.max_pooling(values, **options)).trace(inputs)
    assert "reduce_window" not in traced.lower(lowering_platforms=("cpu",)).as_text()
    assert "reduce_window" in traced.lower(lowering_platforms=("cuda",)).as_text()
