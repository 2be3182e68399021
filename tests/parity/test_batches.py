"""Training on objects that return batches by index, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

X = np.random.default_rng(0).normal(size=(22, 3)).astype("float32")
LABELS = np.random.default_rng(1).integers(0, 3, 22)
WEIGHTS = {0: 2.0, 2: 0.25}


class Batches(keras.utils.PyDataset):
    """Batches of eight, the last one smaller."""

    def __init__(self, one_hot=False):
        super().__init__()
        self.labels = np.eye(3, dtype="float32")[LABELS] if one_hot else LABELS

    def __len__(self):
        return 3

    def __getitem__(self, index):
        part = slice(8 * index, 8 * index + 8)
        return X[part], self.labels[part]


def trained(library, loss, **arguments):
    layers = [library.Input((3,)), library.layers.Dense(3, activation="softmax")]
    model = library.Sequential(layers)
    model.set_weights([np.linspace(-1, 1, 9).reshape(3, 3), np.zeros(3)])
    model.compile("sgd", loss, metrics=["accuracy"], weighted_metrics=["accuracy"])
    history = model.fit(epochs=2, shuffle=False, verbose=0, **arguments).history
    return history, model.get_weights()


@pytest.mark.parametrize("one_hot", [False, True])
def test_class_weight_of_batches_by_index_agrees_with_keras(one_hot):
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    (mine, weights), (theirs, their_weights) = (
        trained(library, loss, x=Batches(one_hot), class_weight=WEIGHTS)
        for library in (fjax, keras)
    )
    assert [*mine] == [*theirs]
    for name in mine:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=2e-6, err_msg=name)
    for weight, their_weight in zip(weights, their_weights, strict=True):
        np.testing.assert_allclose(weight, their_weight, rtol=1e-5, atol=1e-7)


def test_class_weight_of_a_generator_raises_as_in_keras():
    for library in (fjax, keras):
        batches = ((X, LABELS) for _ in range(2))
        with pytest.raises(ValueError, match="class_weight"):
            trained(library, "sparse_categorical_crossentropy", x=batches, class_weight=WEIGHTS)
