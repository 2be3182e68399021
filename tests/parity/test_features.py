"""Layers for categories and for bins of numbers, compared with Keras."""

import keras
import numpy as np
import pytest

from fjax.layers import CategoryEncoding, Discretization

IDS = np.array([[0, 1, 1], [4, 2, 0], [3, 3, 3]])


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("ids", [IDS, IDS[:, :1], IDS[0]], ids=["rows", "column", "one"])
def test_categories(mode, ids):
    ours = CategoryEncoding(5, mode)(ids)
    theirs = keras.layers.CategoryEncoding(5, mode)(ids)
    np.testing.assert_array_equal(ours, theirs)


def test_weighted_counts():
    weights = np.random.default_rng(0).normal(size=IDS.shape).astype("float32")
    theirs = keras.layers.CategoryEncoding(5, "count")(IDS, count_weights=weights)
    layer = CategoryEncoding(5, "count")
    np.testing.assert_allclose(layer(IDS, count_weights=weights), theirs, rtol=1e-6)
    np.testing.assert_allclose(layer(IDS, weights), theirs, rtol=1e-6)


@pytest.mark.parametrize("bins", [2, 7])
@pytest.mark.parametrize("epsilon", [0.01, 0.2])
def test_bins_adapted_to_data(bins, epsilon):
    data = np.random.default_rng(0).normal(size=(250, 3)).astype("float32")
    for batches in ([data], [data[:40], data[40:], data[:9]]):
        theirs = keras.layers.Discretization(num_bins=bins, epsilon=epsilon)
        # The computation of Keras's `adapt`, which itself would need TensorFlow.
        for batch in batches:
            theirs.update_state(batch)
        theirs.finalize_state()
        ours = Discretization(num_bins=bins, epsilon=epsilon)
        ours.adapt(batches)
        np.testing.assert_allclose(ours.bin_boundaries, theirs.bin_boundaries, rtol=1e-6)
        np.testing.assert_array_equal(ours(data), theirs(data))


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_numbers_on_the_boundaries_of_bins(mode):
    values = np.array([[-1.0, 0.0, 0.5], [2.0, 2.5, 1.0]], "float32")
    ours = Discretization([0.0, 1.0, 2.0], output_mode=mode)(values)
    theirs = keras.layers.Discretization([0.0, 1.0, 2.0], output_mode=mode)(values)
    np.testing.assert_array_equal(ours, theirs)
