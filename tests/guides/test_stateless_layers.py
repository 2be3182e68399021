"""`Layer.stateless_call`, and calls of layers and models within a `StatelessScope`."""

import jax
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

X = np.linspace(-1, 2, 12, dtype="float32").reshape(4, 3)


def values(variables):
    return [variable.value for variable in variables]


def test_a_layer_as_a_pure_function_as_in_keras(compare, fill):
    def program(library):
        layer = library.layers.BatchNormalization(momentum=0.5, gamma_regularizer="l2")
        layer.build((None, 3))
        fill(layer)

        def run(trainable, others, x):
            return layer.stateless_call(trainable, others, x, training=True, return_losses=True)

        arrays = values(layer.trainable_variables), values(layer.non_trainable_variables)
        outputs, others, losses = jax.jit(run)(*arrays, X)
        return outputs, others, losses, layer.get_weights()

    compare(program)


def test_the_gradient_of_an_authored_layer_as_in_keras(compare, fill):
    def program(library):
        class Block(library.layers.Layer):
            def __init__(self):
                super().__init__()
                self.dense = library.layers.Dense(2)
                self.norm = library.layers.BatchNormalization()

            def call(self, x, scale=1.0, training=False):
                return scale * self.norm(self.dense(x), training=training)

        layer = Block()
        layer(X)
        fill(layer)

        def loss(trainable, others):
            outputs, others = layer.stateless_call(trainable, others, X, scale=2.0, training=True)
            return library.ops.sum(outputs * X[:, :2]), others

        arrays = values(layer.trainable_variables), values(layer.non_trainable_variables)
        (value, others), grads = jax.value_and_grad(loss, has_aux=True)(*arrays)
        return value, others, grads

    compare(program, rtol=1e-4, atol=1e-5)


def test_a_scope_has_the_weights_as_in_keras(compare, fill):
    def program(library):
        layers = [library.layers.Dense(3), library.layers.BatchNormalization(momentum=0.5)]
        model = fill(library.Sequential([library.Input((3,)), *layers]))
        kernel, mean = layers[0].kernel, layers[1].moving_mean

        @jax.jit
        def run(value):
            with library.StatelessScope(state_mapping=list(zip(model.weights, value, strict=True))):
                return layers[0](X), model(X)

        inside = run([2 * w.value for w in model.weights])
        with library.StatelessScope(state_mapping=[(kernel, np.ones((3, 3)))]) as scope:
            outputs = layers[1](layers[0](X), training=True)
            moved = scope.get_current_value(mean)
        return inside, outputs, moved, model.get_weights()

    compare(program)


def test_mistakes():
    layer = fjax.layers.Dense(2)
    with pytest.raises(ValueError, match="`stateless_call`: the layer 'dense' is not built"):
        layer.stateless_call([], [], X)
    layer.build((None, 3))
    with pytest.raises(ValueError, match="takes a list of 2 arrays as `trainable_variables`, one"):
        layer.stateless_call([np.ones((3, 2))], [], X)
    with pytest.raises(ValueError, match=r"has the shape \(3, 2\), received .* \(2, 3\)"):
        layer.stateless_call([np.ones((2, 3)), np.ones(2)], [], X)

    def partial(kernel):
        with fjax.StatelessScope([(layer.kernel, kernel)]):
            return layer(X)

    np.testing.assert_allclose(partial(np.ones((3, 2))), X.sum(1, keepdims=True) + np.zeros(2))
    with pytest.raises(TypeError, match="without its weight 'bias', which would be a constant"):
        jax.jit(partial)(np.ones((3, 2)))
