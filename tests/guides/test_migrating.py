"""Idioms of the guide on moving from Keras 2: variables, ops, state, dtypes."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)

X = np.linspace(-1, 1, 12).reshape(3, 4).astype("float32")


def test_variables(compare):
    def program(library):
        variable = library.Variable(np.ones((2, 2)), name="v", dtype="float32")
        variable.assign(variable * 3)
        variable.assign_add(np.eye(2))
        total = library.ops.sum(variable.value)
        return variable.numpy(), total, variable.shape, library.ops.convert_to_numpy(variable)

    compare(program)


def test_ops_on_symbolic_tensors(compare):
    def program(library):
        inputs = library.Input((2, 2, 1))
        outputs = library.ops.squeeze(inputs)
        model = library.Model(inputs, library.ops.transpose(outputs, (0, 2, 1)) + 1)
        return outputs.shape, model(np.arange(12.0).reshape(3, 2, 2, 1))

    shape, _ = compare(program)
    assert tuple(shape) == (None, 2, 2)


def test_state_of_a_layer_and_weights_in_containers(compare):
    def program(library):
        class Stack(library.layers.Layer):
            def __init__(self):
                super().__init__()
                self.scales = [
                    library.Variable(np.full(4, value, "float32"), name=f"scale_{number}")
                    for number, value in enumerate((2.0, 3.0))
                ]

            def call(self, inputs):
                for scale in self.scales:
                    inputs = inputs * scale
                return inputs

        layer = Stack()
        return layer(X), len(layer.trainable_weights)

    assert compare(program)[1] == 2


def test_random_numbers_of_a_seed(compare):
    def program(library):
        class Noise(library.layers.Layer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.seed_generator = library.random.SeedGenerator(7)

            def call(self, inputs, training=False):
                if not training:
                    return inputs
                noise = library.random.normal(library.ops.shape(inputs), seed=self.seed_generator)
                return inputs + noise

        layer = Noise()
        changed = np.any(np.asarray(layer(X, training=True)) != X)
        return library.random.uniform((2, 3), seed=5), layer(X), bool(changed)

    assert compare(program)[2]


def test_dtypes_and_conversion(compare):
    def program(library):
        tensor = library.ops.convert_to_tensor([[1, 2], [3, 4]], dtype="float32")
        product = library.ops.matmul(tensor, library.ops.cast(np.eye(2), "float32"))
        chosen = library.ops.where(product > 2, product, library.ops.zeros_like(product))
        return (
            library.ops.convert_to_numpy(product),
            chosen,
            library.backend.standardize_dtype(product.dtype),
            library.backend.floatx(),
        )

    compare(program)
