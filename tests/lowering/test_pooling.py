"""Pooling compared with XLA's `reduce_window`, including ties in the gradient."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fjax import lowering

LAST, FIRST = "channels_last", "channels_first"
# Shape, window, strides, padding and data format.
CASES = {
    "tiles": ((2, 7, 6, 3), (2, 3), (2, 3), "valid", LAST),
    "overlapping": ((2, 7, 6, 3), (3, 2), (2, 1), "same", LAST),
    "gaps": ((2, 9, 3), (2,), (4,), "same", LAST),
    "channels first": ((2, 3, 7, 6), (2, 2), (2, 2), "same", FIRST),
    "volume": ((2, 4, 3, 5, 2), (2, 2, 2), (2, 1, 2), "valid", LAST),
    "volume of tiles": ((2, 4, 3, 5, 2), (2, 1, 2), (2, 1, 2), "valid", LAST),
    "large tiles": ((2, 11, 10, 2), (5, 4), (5, 4), "same", LAST),
    "long": ((2, 70, 3), (40,), (10,), "same", LAST),
}
every_case = pytest.mark.parametrize("case", CASES)


def make_case(case, whole=False):
    """Return random inputs, our options, and the window, strides and padding as XLA takes them."""
    shape, window, strides, padding, data_format = CASES[case]
    random = np.random.default_rng(0)
    inputs = random.integers(0, 3, shape) if whole else random.normal(size=shape)
    options = {"window": window, "strides": strides, "padding": padding, "data_format": data_format}
    ones = ((1,), (1,)) if data_format == LAST else ((1, 1), ())
    full = [(*ones[0], *sizes, *ones[1]) for sizes in (window, strides)]
    return jnp.asarray(inputs, "float32"), options, (*full, padding.upper())


def xla(values, kind, arguments):
    if kind == "max":
        return lax.reduce_window(values, -jnp.inf, lax.max, *arguments)
    sums = lax.reduce_window(values, 0.0, lax.add, *arguments)
    return sums / lax.reduce_window(jnp.ones_like(values), 0.0, lax.add, *arguments)


def outputs_and_derivatives(pool, values):
    """Return the outputs and the gradient, each with its derivative in one direction."""

    def loss(values):
        return jnp.sum(jnp.sin(pool(values)))

    direction = (jnp.cos(values),)
    return jax.jvp(pool, (values,), direction), jax.jvp(jax.grad(loss), (values,), direction)


@every_case
@pytest.mark.parametrize("kind", ["max", "average"])
def test_values_gradients_and_second_derivatives(kind, case):
    inputs, options, arguments = make_case(case)
    pool = lowering.max_pooling if kind == "max" else lowering.average_pooling
    ours = functools.partial(outputs_and_derivatives, functools.partial(pool, **options))
    theirs = functools.partial(outputs_and_derivatives, lambda v: xla(v, kind, arguments))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5),
        jax.jit(ours)(inputs),
        jax.jit(theirs)(inputs),
    )


@every_case
def test_the_gradient_goes_to_the_first_of_equal_maxima(case):
    inputs, options, arguments = make_case(case, whole=True)

    @jax.jit
    def both(values):
        ours = jax.grad(lambda v: jnp.sum(jnp.sin(lowering.max_pooling(v, **options))))(values)
        return ours, jax.grad(lambda v: jnp.sum(jnp.sin(xla(v, "max", arguments))))(values)

    np.testing.assert_allclose(*both(inputs), rtol=1e-5, atol=1e-6)


def test_other_dtypes():
    inputs, options, _ = make_case("overlapping", whole=True)
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


def test_nan_is_the_maximum():
    values = jnp.array([1.0, jnp.nan, 3.0, 4.0]).reshape(1, 4, 1)
    outputs = lowering.max_pooling(values, window=[2], strides=[2], padding="valid")
    np.testing.assert_array_equal(outputs.ravel(), [np.nan, 4.0])


def test_vmap():
    inputs, options, _ = make_case("channels first")
    stack = jnp.stack([inputs, -inputs])
    pool = functools.partial(lowering.max_pooling, **options)
    np.testing.assert_array_equal(
        jax.vmap(pool)(stack), jnp.stack([pool(values) for values in stack])
    )


def test_the_platform_is_chosen_at_lowering():
    inputs, options, _ = make_case("overlapping")
    traced = jax.jit(lambda values: lowering.max_pooling(values, **options)).trace(inputs)
    assert "reduce_window" not in traced.lower(lowering_platforms=("cpu",)).as_text()
    assert "reduce_window" in traced.lower(lowering_platforms=("cuda",)).as_text()
