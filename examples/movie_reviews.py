"""Classify movie reviews in two ways: by word embeddings, and by bags of words.

The first model takes the texts themselves, `model.predict(["what a film"])`. The second takes rows
of zeros and ones, which are also the inputs of logistic regression, for comparison.

The example needs scikit-learn, and `movie_reviews.tsv` in the folder that FJAX_DATA names.
"""

import argparse

import numpy as np

import fjax as keras
from fjax import layers


def main(epochs: int = 6, rows: int = 8_548, words: int = 10_000) -> dict[str, float]:
    """Train on the first reviews; return the test accuracy of each model."""
    keras.utils.set_random_seed(42)
    (texts, labels), (test_texts, test_labels) = keras.datasets.movie_reviews.load_data()
    texts, labels = texts[:rows], labels[:rows]

    accuracy = {
        "word embeddings": embeddings(texts, labels, test_texts, test_labels, epochs, words)
    }
    vectorize = layers.TextVectorization(max_tokens=words // 5, output_mode="multi_hot")
    vectorize.adapt(texts)
    x_train, x_test = np.asarray(vectorize(texts)), np.asarray(vectorize(test_texts))
    accuracy["bags of words"] = bags_of_words(x_train, labels, x_test, test_labels, epochs)
    accuracy["logistic regression"] = logistic_regression(x_train, labels, x_test, test_labels)
    for name, value in accuracy.items():
        print(f"test accuracy, {name}: {value:.3f}")
    return accuracy


def embeddings(
    texts: np.ndarray, labels: np.ndarray, test_texts: np.ndarray, test_labels: np.ndarray,
    epochs: int, words: int,
) -> float:  # fmt: skip
    """Train a network on the mean of the word embeddings of a text; return its test accuracy."""
    vectorize = layers.TextVectorization(max_tokens=words, output_sequence_length=40)
    vectorize.adapt(texts)
    model = keras.Sequential([
        vectorize,
        layers.Embedding(words, 32),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(texts, labels, epochs=epochs, validation_split=0.1, verbose=2)
    model.summary()
    for text in ("a warm and wonderful film", "dull , flat and far too long"):
        probability = model.predict([text], verbose=0)[0, 0]
        print(f"{text!r} is positive with probability {probability:.2f}")
    return float(model.evaluate(test_texts, test_labels, verbose=0)[1])


def bags_of_words(
    x_train: np.ndarray, labels: np.ndarray, x_test: np.ndarray, test_labels: np.ndarray,
    epochs: int,
) -> float:  # fmt: skip
    """Train a dense network on the words that a text contains; return its test accuracy."""
    model = keras.Sequential([
        layers.Dense(16, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(x_train, labels, epochs=epochs, batch_size=128, validation_split=0.1, verbose=2)
    return float(model.evaluate(x_test, test_labels, verbose=0)[1])


def logistic_regression(
    x_train: np.ndarray, labels: np.ndarray, x_test: np.ndarray, test_labels: np.ndarray
) -> float:
    """Return the test accuracy of scikit-learn's logistic regression."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    classifier = LogisticRegression(C=0.1, max_iter=200).fit(csr_matrix(x_train), labels)
    return float(classifier.score(csr_matrix(x_test), test_labels))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rows", type=int, default=8_548)
    parser.add_argument("--words", type=int, default=10_000)
    main(**vars(parser.parse_args()))
