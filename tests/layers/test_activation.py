"""Activation layers, `Lambda` and `EinsumDense`: masks, outputs and error messages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import layers
from fjax.core.masking import Masked
from fjax.core.precision import apply_layer

X = jnp.array([[1.0, 2.0, 3.0], [0.0, -1.0, 5.0]])


def apply(layer, *inputs, **options):
    params, state = layer.init(jax.random.key(0), *inputs)
    return layer.apply(params, state, *inputs, **options)[0]


def test_softmax_ignores_masked_entries():
    mask = jnp.array([[True, False, True], [False, False, False]])
    outputs = apply(layers.Softmax(), Masked(X, mask))
    expected = np.exp([1.0, 3.0]) / np.exp([1.0, 3.0]).sum()
    np.testing.assert_allclose(outputs.values, [[expected[0], 0, expected[1]], [0] * 3], rtol=1e-6)
    gradient = jax.grad(lambda x: apply(layers.Softmax(), Masked(x, mask)).values[0, 0])(X)
    assert np.isfinite(gradient).all()
    assert gradient[0, 1] == 0
    with pytest.raises(ValueError, match="the mask must broadcast to inputs"):
        layers.Softmax()(X, mask=jnp.ones((2, 2), bool))


def test_maxout_returns_the_maximum_of_each_group():
    outputs = apply(layers.Maxout(2, axis=1), jnp.arange(24.0).reshape(2, 6, 2))
    np.testing.assert_array_equal(outputs[0], [[8, 9], [10, 11]])


def test_identity_returns_its_inputs_with_their_mask():
    masked = Masked(X, jnp.ones((2, 3), bool))
    assert apply(layers.Identity(), masked) is masked
    one, other = apply(layers.Identity(), X, X)
    assert one is X
    assert other is X


def product(values, factor=1.0, training=False):
    return values[0] * values[1] * factor + training


def test_a_lambda_of_several_inputs_with_arguments_and_mode():
    layer = layers.Lambda(product, arguments={"factor": 2.0})
    np.testing.assert_array_equal(apply(layer, X, X), 2 * X * X)
    np.testing.assert_array_equal(apply(layer, X, X, training=True), 2 * X * X + 1)
    one, other = fjax.Input((3,)), fjax.Input((3,))
    model = fjax.Model([one, other], layer([one, other]))
    np.testing.assert_array_equal(model.predict([np.asarray(X)] * 2, verbose=0), 2 * X * X)


def test_a_lambda_can_use_and_return_masks():
    mask = jnp.array([[True, False, True], [True, True, False]])
    zeroed = layers.Lambda(lambda x, mask: jnp.where(mask, x, 0.0), mask=lambda x, mask: ~mask)
    outputs, _ = apply_layer(zeroed, {}, {}, Masked(X, mask))
    np.testing.assert_array_equal(outputs.values, jnp.where(mask, X, 0.0))
    np.testing.assert_array_equal(outputs.mask, ~mask)
    with pytest.warns(UserWarning, match="the mask ends"):
        apply_layer(layers.Lambda(lambda x: x), {}, {}, Masked(X, mask))


def test_the_configuration_of_a_lambda_has_the_name_or_the_function():
    assert layers.Lambda("relu").get_config()["function"] == "relu"
    for function in (lambda x: x, product):
        layer = layers.Lambda(function)
        assert layer.get_config()["function"] is function
        assert layers.Lambda.from_config(layer.get_config()) == layer


def test_the_output_shape_of_a_lambda_is_checked():
    apply(layers.Lambda(lambda x: x[:, :2], output_shape=2), X)
    apply(layers.Lambda(lambda x: x[:, :2], output_shape=lambda shape: (shape[0], 2)), X)
    with pytest.raises(ValueError, match=r"returned shape \(2, 3\), but `output_shape` requires"):
        apply(layers.Lambda(lambda x: x, output_shape=(2,)), X)


def test_einsum_dense_equals_dense():
    dense, over = layers.Dense(5), layers.EinsumDense("...a,ab->...b", 5, bias_axes="b")
    params, state = dense.init(jax.random.key(0), X)
    expected, _ = dense.apply(params, state, X)
    np.testing.assert_allclose(over.apply(params, state, X)[0], expected, rtol=1e-6)
    taller, _ = over.apply(params, state, jnp.stack([X, X]))
    np.testing.assert_allclose(taller[1], expected, rtol=1e-6)


T = jnp.ones((2, 4, 3))
MISTAKES = {
    "max_value": (lambda: layers.ReLU(max_value=-1), "`max_value` must be a number"),
    "slope": (lambda: layers.LeakyReLU("steep"), "`negative_slope` must be a number"),
    "alpha": (lambda: layers.ELU(None), "`alpha` must be a number"),
    "shared batch axis": (lambda: layers.PReLU(shared_axes=[0]), "not 0, the batch axis"),
    "shared absent axis": (lambda: apply(layers.PReLU(shared_axes=[3]), T), "contains 3, which"),
    "softmax axis": (lambda: layers.Softmax("rows"), "`axis` must be an integer"),
    "softmax absent axis": (lambda: apply(layers.Softmax(3), T), "`axis` 3 does not exist"),
    "units": (lambda: layers.Maxout(0), "`num_units` must be an integer of at least 1"),
    "maxout batch axis": (lambda: layers.Maxout(2, axis=0), "not 0, the batch axis"),
    "maxout groups": (lambda: apply(layers.Maxout(2), T), "must divide the 3 features"),
    "no function": (lambda: layers.Lambda(None), "needs a function of arrays"),
    "lambda mask": (lambda: layers.Lambda(abs, mask=True), "`mask` must be a function"),
    "lambda arguments": (lambda: layers.Lambda(abs, arguments=[1]), "`arguments` must be a dict"),
    "equation": (lambda: layers.EinsumDense("ab,bc", 3), "`equation` must be of the form"),
    "repeated letter": (lambda: layers.EinsumDense("aab,bc->ac", 3), "occurs twice in the inputs"),
    "unknown output": (lambda: layers.EinsumDense("ab,bc->ad", 3), "'d' of the outputs"),
    "unknown kernel": (lambda: layers.EinsumDense("ab,bd->a", 3), "'d' of the kernel"),
    "batch letter": (lambda: layers.EinsumDense("ab,bc->ca", (3,)), "same letter"),
    "bias axes": (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="b"), "`bias_axes` 'b'"),
    "too few sizes": (lambda: apply(layers.EinsumDense("abc,cd->abd", 3), T), "must have 2 sizes"),
    "unknown size": (
        lambda: apply(layers.EinsumDense("abc,cd->abd", (None, None)), T), "size of 'd'",
    ),
    "other size": (lambda: apply(layers.EinsumDense("abc,cd->abd", (5, 2)), T), "gives 'b'"),
    "rank": (lambda: apply(layers.EinsumDense("ab,bc->ac", 3), T), "takes inputs of 2 axes"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_error_messages(mistake):
    make, message = MISTAKES[mistake]
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_a_wrong_input_size_is_reported():
    for layer in (layers.PReLU(), layers.EinsumDense("...a,ab->...b", 2)):
        params, state = layer.init(jax.random.key(0), T)
        with pytest.raises(ValueError, match="was built with"):
            layer.apply(params, state, T[..., :2])
