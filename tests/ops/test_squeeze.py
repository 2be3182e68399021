"""`squeeze` of symbolic tensors: the batch axis has no size, so it is not squeezed."""

import keras
import numpy as np
import pytest

import fjax


@pytest.mark.parametrize("shape", [(2, 2, 1), (1, 3, 1), (4,)])
def test_the_batch_axis_is_kept(shape):
    models = []
    for library in (keras, fjax):
        inputs = library.Input(shape)
        outputs = library.ops.squeeze(inputs)
        models.append(library.Model(inputs, outputs + 1.0))
        assert tuple(outputs.shape) == (None, *(size for size in shape if size != 1))
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype("float32")
    np.testing.assert_array_equal(models[1](x), models[0](x))


def test_in_the_call_of_a_model_whose_inputs_are_not_declared():
    table = np.arange(12, dtype="float32").reshape(6, 2)

    def outputs(library):
        class Lookup(library.Model):
            def __init__(self):
                super().__init__()
                self.dense = library.layers.Dense(3, kernel_initializer="ones")

            def call(self, ids):
                return self.dense(library.ops.squeeze(library.ops.take(table, ids, axis=0)))

        return Lookup()(np.array([1, 4, 2]))

    np.testing.assert_allclose(outputs(fjax), outputs(keras))
