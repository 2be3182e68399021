"""`draw`, which calls any kind of initializer for a layer."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax.initializers import HeNormal, Initializer, draw, get

KEY = jax.random.key(7)


def case_id(value):
    # A repr with an address would differ between pytest's processes; None numbers the case.
    shown = repr(value)
    return None if " at 0x" in shown else shown


class Halves(Initializer):
    def __call__(self, shape, dtype=None):
        return 0.5 * jnp.ones(shape, dtype)


class Authored(Initializer):
    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        return jnp.full(shape, self.value, dtype)


@pytest.mark.parametrize(
    ("initializer", "expected"),
    [
        (Halves(), 0.5),
        (Authored(2.0), 2.0),
        (jax.nn.initializers.ones, 1.0),
        (jax.nn.initializers.constant(3.0), 3.0),
        (lambda shape, dtype=None: np.full(shape, 4.0), 4.0),
        (lambda size, dtype: jnp.full(size, 5, "int32"), 5.0),
        (lambda shape, dtype=None: [[8.0] * 3] * 2, 8.0),
        (np.zeros, 0.0),
        (np.ones, 1.0),
        (functools.partial(np.full, fill_value=6.0), 6.0),
        (lambda **named: jnp.full(named["shape"], 7.0, named["dtype"]), 7.0),
    ],
    ids=case_id,
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_draw_accepts_any_function_of_a_shape(initializer, expected, dtype):
    values = draw(initializer, KEY, (2, 3), dtype)
    assert values.shape == (2, 3)
    assert values.dtype == dtype
    assert (values == expected).all()
    assert jax.eval_shape(lambda: draw(initializer, KEY, (2, 3), dtype)) == jax.ShapeDtypeStruct(
        (2, 3), jnp.dtype(dtype)
    )


@pytest.mark.parametrize(
    "name",
    ["he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal", "orthogonal"],
)
def test_draw_passes_the_key_to_an_initializer_of_jax(name):
    initializer = getattr(jax.nn.initializers, name)()
    values = draw(initializer, KEY, (4, 5))
    np.testing.assert_array_equal(values, initializer(KEY, (4, 5), jnp.float32))


@pytest.mark.short
@pytest.mark.parametrize("name", ["he_normal", "glorot_uniform", "lecun_uniform"])
def test_values_equal_those_of_jax_initializers(name):
    expected = getattr(jax.nn.initializers, name)()(KEY, (30, 50), jnp.float32)
    np.testing.assert_allclose(draw(get(name), KEY, (30, 50)), expected, rtol=1e-5, atol=1e-7)


def test_draw_passes_the_key_to_an_initializer_of_fjax():
    values = draw(HeNormal(), KEY, (4, 5))
    np.testing.assert_array_equal(values, HeNormal()((4, 5), key=KEY))


def test_draw_raises_for_a_result_of_another_shape():
    class Wrong(Initializer):
        def __call__(self, shape, dtype=None):
            return jnp.ones((3,), dtype)

    with pytest.raises(ValueError, match=r"`Wrong\(\)` returned the shape \(3,\) for .* \(2, 3\)"):
        draw(Wrong(), KEY, (2, 3))


@pytest.mark.parametrize(("fill", "dtype"), [(0.5, "int32"), (0.5j, "float32"), (2, "bool")])
def test_draw_raises_for_a_dtype_that_cannot_be_converted(fill, dtype):
    with pytest.raises(TypeError, match=f"for a weight of {dtype}"):
        draw(lambda shape, dtype=None: jnp.full(shape, fill), KEY, (2,), dtype)


def test_draw_names_the_parameters_that_it_expects():
    def strange(rng, shape):
        return shape

    with pytest.raises(TypeError, match=r"`strange\(rng, shape\)` cannot be called: .*key, shape"):
        draw(strange, KEY, (2,))


def test_draw_does_not_change_errors_inside_the_function():
    def broken(shape, dtype=None):
        raise TypeError("inside")

    with pytest.raises(TypeError, match=r"^inside$"):
        draw(broken, KEY, (2,))
