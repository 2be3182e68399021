"""A model within a model adds or removes the last axis of size 1, as `fit` does."""

import keras
import numpy as np
import pytest

import fjax


@pytest.mark.parametrize(
    ("declared", "given"), [((4, 1), (2, 4)), ((4,), (2, 4, 1)), ((4, 1), (2, 4, 1))]
)
def test_inner_models_take_data_of_another_rank(declared, given):
    x = np.linspace(-1, 1, 8).reshape(given).astype("float32")

    def outputs(library):
        inputs = library.Input(declared)
        flat = library.layers.Flatten()(inputs)
        inner = library.Model(inputs, library.layers.Dense(2, kernel_initializer="ones")(flat))

        class Outer(library.Model):
            def __init__(self):
                super().__init__()
                self.inner = inner

            def call(self, x):
                return self.inner(x) * 2

        return Outer()(x)

    np.testing.assert_allclose(outputs(fjax), outputs(keras), rtol=1e-6)


def test_other_ranks_are_an_error():
    layer = fjax.layers.InputLayer((4, 1))
    with pytest.raises(ValueError, match="declared input has shape"):
        layer.apply({}, {}, np.ones((2, 3)))
