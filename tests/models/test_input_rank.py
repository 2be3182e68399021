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


def test_a_model_whose_inputs_are_not_declared_takes_other_lengths():
    long = np.linspace(-1, 1, 60).reshape(4, 5, 3).astype("float32")

    def outputs(library):
        class Pooled(library.Model):
            def __init__(self):
                super().__init__()
                self.dense = library.layers.Dense(2, kernel_initializer="ones")

            def call(self, x):
                return library.ops.mean(self.dense(x), axis=1)

        model = Pooled()
        model.compile("sgd", "mse")
        model.fit(long, long[:, 0, :2], shuffle=False, verbose=0)
        scores = model.evaluate(long[:, :4], long[:, 0, :2], verbose=0)
        return model.predict(long[:, :3], verbose=0), model(long[:, :2]), scores

    for ours, theirs in zip(outputs(fjax), outputs(keras), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
