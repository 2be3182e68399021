"""Preprocessing layers that are adapted to data, alone and in models."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)

FEATURES = np.array([[0.1, 0.2, 0.3], [0.8, 0.9, 1.0], [1.5, 1.6, 1.7]], "float32")


def test_normalization_of_arrays(compare):
    def program(library):
        layer = library.layers.Normalization()
        layer.adapt(FEATURES)
        return layer(FEATURES), np.ravel(layer.mean), np.ravel(layer.variance)

    outputs, *_ = compare(program)
    np.testing.assert_allclose(np.mean(outputs, axis=0), 0, atol=1e-6)


def test_discretization_and_rescaling(compare):
    def program(library):
        layers = library.layers
        bins = layers.Discretization(bin_boundaries=[0.0, 0.5, 1.0])
        return bins(FEATURES), layers.Rescaling(1 / 127.5, offset=-1)(FEATURES * 255)

    compare(program)


def test_categories_as_vectors(compare):
    ids = np.array([[3], [2], [0], [1], [3]], "int32")

    def program(library):
        encoding = library.layers.CategoryEncoding(num_tokens=4, output_mode="one_hot")
        several = library.layers.CategoryEncoding(num_tokens=4, output_mode="multi_hot")
        return encoding(ids), several(np.array([[0, 2], [1, 1]], "int32"))

    compare(program)


def test_hashed_numbers_are_within_their_bins():
    import fjax

    hashed = np.asarray(fjax.layers.Hashing(num_bins=8)(np.arange(50)[:, None]))
    assert hashed.min() >= 0 and hashed.max() < 8 and len(np.unique(hashed)) > 1


def test_normalization_within_a_trained_model(compare, fill):
    x = np.linspace(0, 255, 60).reshape(20, 3).astype("float32")

    def program(library):
        layer = library.layers.Normalization()
        layer.adapt(x)
        inputs = library.Input((3,))
        model = library.Model(inputs, library.layers.Dense(1, name="out")(layer(inputs)))
        model.get_layer("out").set_weights([np.ones((3, 1)), np.zeros(1)])
        model.compile("sgd", "mse")
        fit = model.fit(x, x[:, :1] / 255, epochs=2, shuffle=False, verbose=0)
        return fit.history, model.predict(x, verbose=0)

    compare(program)
