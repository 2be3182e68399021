"""A class that extends a layer reads its weights in `call`, without `super().call`."""

import keras
import numpy as np
import pytest

import fjax

X = np.linspace(-1, 1, 12).reshape(4, 3).astype("float32")
Y = X[:, :2]


def centered(library, uses_value):
    class Centered(library.layers.Dense):
        def call(self, inputs):
            kernel = self.kernel.value if uses_value else self.kernel
            mean = library.ops.mean(kernel, axis=0, keepdims=True)
            outputs = library.ops.matmul(inputs, kernel - mean)
            return outputs + self.bias if self.use_bias else outputs

    return Centered(2, kernel_regularizer=library.regularizers.L2(0.1))


@pytest.mark.parametrize("uses_value", [False, True])
def test_it_trains_as_in_keras(uses_value):
    models = []
    for library in (fjax, keras):
        model = library.Sequential([library.Input((3,)), centered(library, uses_value)])
        model.set_weights([np.arange(6.0).reshape(3, 2), np.ones(2)])
        model.compile(library.optimizers.SGD(0.1), "mse")
        history = model.fit(X, Y, epochs=3, shuffle=False, verbose=0).history
        models.append((history["loss"], *model.get_weights(), model.predict(X, verbose=0)))
    for ours, theirs in zip(*models, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_regularizer_counts_once_beside_the_call_of_the_extended_layer():
    def loss(library):
        class Both(library.layers.Dense):
            def call(self, inputs):
                return super().call(inputs) + library.ops.mean(self.kernel)

        model = library.Sequential([library.Input((3,)), Both(2, kernel_regularizer="l2")])
        model.set_weights([np.arange(6.0).reshape(3, 2), np.ones(2)])
        model.compile("sgd", "mse")
        return model.evaluate(X, Y, verbose=0)

    np.testing.assert_allclose(loss(fjax), loss(keras), rtol=1e-6)


def test_another_attribute_is_an_error():
    class Wrong(fjax.layers.Dense):
        def call(self, inputs):
            return inputs * self.kernels

    with pytest.raises(AttributeError, match="no attribute `kernels`"):
        Wrong(2)(X)


@pytest.mark.parametrize("overrides", ["call", "convolution_op"])
def test_a_convolution_with_another_kernel(overrides):
    def model(library):
        ops = library.ops

        def standardized(kernel):
            mean, variance = ops.moments(kernel, axes=[0, 1, 2], keepdims=True)
            return (kernel - mean) / ops.sqrt(variance + 1e-10)

        class OwnCall(library.layers.Conv2D):
            def call(self, inputs):
                kernel = standardized(ops.convert_to_tensor(self.kernel))
                return self.convolution_op(inputs, kernel) + self.bias

        class OwnOperation(library.layers.Conv2D):
            def convolution_op(self, inputs, kernel):
                return super().convolution_op(inputs, standardized(ops.convert_to_tensor(kernel)))

        layer = (OwnCall if overrides == "call" else OwnOperation)(2, 3)
        built = library.Sequential([library.Input((5, 5, 1)), layer])
        built.set_weights([np.sin(np.arange(18.0)).reshape(3, 3, 1, 2), np.ones(2)])
        return built.predict(np.cos(np.arange(50.0)).reshape(2, 5, 5, 1), verbose=0)

    np.testing.assert_allclose(model(fjax), model(keras), rtol=1e-4, atol=1e-5)
