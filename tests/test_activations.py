import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fjax import activations

pytestmark = pytest.mark.sampled(3)

NAMES = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]


def _call(name):
    function = getattr(activations, name)
    if name == "threshold":
        return lambda x: function(x, 0.25, -1.0)
    return function


@pytest.fixture(params=NAMES)
def activation(request):
    return _call(request.param)


X = np.random.default_rng(0).normal(size=(4, 6)).astype("float32") * 3


@pytest.mark.short
def test_jit_equals_eager(activation):
    np.testing.assert_allclose(jax.jit(activation)(X), activation(X), rtol=1e-6, atol=1e-7)


def test_vmap_equals_the_batch(activation):
    np.testing.assert_allclose(
        jax.vmap(activation)(jnp.asarray(X)), activation(X), rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_outputs_have_the_floating_dtype_of_the_inputs(activation, dtype):
    assert activation(jnp.ones((2, 4), dtype)).dtype == dtype


@pytest.mark.parametrize("magnitude", [0.0, 0.5, 1.0, 3.0, 6.0, 80.0, 1e4, 1e9])
def test_gradients_are_finite_at_kinks_and_for_large_inputs(activation, magnitude):
    if activation is activations.exponential:
        magnitude = min(magnitude, 80.0)  # Beyond, the function itself is infinite.
    x = jnp.array([-magnitude, magnitude], jnp.float32)
    gradient = jax.grad(lambda x: activation(x).sum())(x)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("relu6", "hard_sigmoid")])
def test_gradients_equal_finite_differences(name):
    activation = _call(name)
    # Not at kinks, and not on plateaus, where differences are rounding errors.
    x = jnp.array([-2.3, -0.8, -0.3, 0.33, 0.7, 2.2], jnp.float32)
    weights = jnp.arange(1.0, 7.0)[: activation(x).size]

    def total(x):
        return (activation(x) * weights).sum()

    gradient = jax.grad(total)(x)
    step = 1e-2
    steps = step * jnp.eye(6)
    differences = jax.vmap(lambda d: total(x + d) - total(x - d))(steps) / (2 * step)
    np.testing.assert_allclose(gradient, differences, rtol=2e-3, atol=2e-3)


def test_plain_relu_compiles_to_the_program_of_jax_relu():
    program = jax.make_jaxpr(activations.relu)(jnp.ones(3))
    expected = jax.make_jaxpr(jax.nn.relu)(jnp.ones(3))
    assert str(program) == str(expected)


@pytest.mark.short
@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize("max_value", [None, 2.0, 6.0])
@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_relu_with_every_combination_of_arguments(slope, max_value, threshold):
    x = np.linspace(-4, 9, 40, dtype="float32")
    expected = np.where(x > threshold, x, slope * (x - threshold))
    if max_value is not None:
        expected = np.minimum(expected, max_value)
    np.testing.assert_allclose(
        activations.relu(x, slope, max_value, threshold), expected, rtol=1e-6, atol=1e-6
    )


@settings(deadline=None, max_examples=60)
@given(arrays.arrays(np.float32, (3, 7), elements=st.floats(-50, 50, width=32)))
def test_sparsemax_is_the_projection_onto_the_simplex(x):
    result = np.asarray(activations.sparsemax(x))
    assert (result >= 0).all()
    np.testing.assert_allclose(result.sum(-1), 1.0, atol=2e-5)
    # A point is nearest if no step toward a corner of the simplex comes nearer.
    corners = np.eye(7, dtype="float32")
    toward = np.einsum("bi,bci->bc", x - result, corners[None] - result[:, None])
    assert (toward <= 1e-3).all()


def test_sparsemax_of_large_equal_numbers_sums_to_1():
    result = activations.sparsemax(jnp.full((1000,), 1e6))
    np.testing.assert_allclose(result, 1e-3, rtol=1e-5)


def test_sparsemax_along_another_axis():
    x = np.moveaxis(X, 1, 0)
    np.testing.assert_allclose(
        activations.sparsemax(x, axis=0), np.moveaxis(activations.sparsemax(X), 1, 0), rtol=1e-6
    )


def test_sparsemax_gradient_is_centered_on_the_support():
    jacobian = jax.jacobian(activations.sparsemax)(jnp.array([1.0, 0.8, -3.0]))
    np.testing.assert_allclose(jacobian, [[0.5, -0.5, 0], [-0.5, 0.5, 0], [0, 0, 0]], atol=1e-6)


def test_softmax_over_two_axes():
    np.testing.assert_allclose(activations.softmax(X, axis=(0, 1)).sum(), 1.0, rtol=1e-6)


def test_glu_of_an_odd_size_raises():
    with pytest.raises(ValueError, match=r"size of axis -1 must be even.*\(2, 3\)"):
        activations.glu(jnp.ones((2, 3)))


def test_linear_returns_the_object_itself():
    x = jnp.ones(2)
    assert activations.linear(x) is x


@pytest.mark.parametrize("name", NAMES)
def test_get_by_name(name):
    assert activations.get(name) is getattr(activations, name)


def test_get_accepts_none_and_functions():
    assert activations.get(None) is activations.linear
    assert activations.get(jax.nn.relu) is jax.nn.relu


def test_get_suggests_a_similar_name():
    with pytest.raises(ValueError, match=r"Unknown activation 'rleu'. Did you mean `relu`\?"):
        activations.get("rleu")


def test_get_raises_for_a_number():
    with pytest.raises(TypeError, match="known activation"):
        activations.get(3)


def test_every_public_function_has_a_name_in_the_registry():
    public = {
        name
        for name, value in vars(activations).items()
        if inspect.isfunction(value)
        and not name.startswith("_")
        and name not in ("deserialize", "get", "serialize")
    }
    assert public == set(NAMES)
