"""Two classifiers of movie reviews, compared with Keras on the outputs of text layers."""

import numpy as np
import pytest

import fjax
from fjax.layers import TextVectorization

pytestmark = pytest.mark.sampled(3, whole=True)


@pytest.fixture(scope="module")
def reviews():
    """Return texts and labels."""
    try:
        (texts, labels), _ = fjax.datasets.movie_reviews.load_data()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return texts[:256], labels[:256, None].astype("float32")


def by_vectors(keras):
    return keras.Sequential(
        [
            keras.Input((16,), dtype="int32"),
            keras.layers.Embedding(200, 8, mask_zero=True),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def by_bags(keras):
    return keras.Sequential(
        [
            keras.Input((200,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def compile_both(keras, model):
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])


@pytest.mark.parametrize(
    ("build", "config"),
    [
        (by_vectors, {"output_sequence_length": 16}),
        (by_bags, {"output_mode": "multi_hot"}),
    ],
    ids=["vectors", "bags"],
)
def test_both_classifiers_train_as_with_keras(judge, reviews, build, config):
    texts, labels = reviews
    layer = TextVectorization(max_tokens=200, **config)
    layer.adapt(texts)
    judge.compare(build, compile_both, np.asarray(layer(texts)), labels)
