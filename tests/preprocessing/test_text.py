"""Tokenizer, compared with Keras 2."""

import numpy as np
import pytest
from keras.src.legacy.preprocessing import text as keras_text

from fjax.preprocessing.text import Tokenizer, text_to_word_sequence

TEXTS = ["The cat, the DOG.", "a dog; a cat's dog", "", "a\ttab a\nline", "<OOV> in  a text"]
NEW = ["the unknown dog dog", "cat's text", ""]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"num_words": 4},
        {"num_words": 4, "oov_token": "<OOV>"},
        {"oov_token": "<oov>", "lower": False, "filters": "."},
        {"char_level": True, "num_words": 6},
        {"split": "a"},
        {"analyzer": str.split},
    ],
    ids=str,
)
def test_tokenizer_equals_keras(config):
    ours, theirs = Tokenizer(**config), keras_text.Tokenizer(**config)
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_texts(TEXTS)
        tokenizer.fit_on_texts(iter(["one dog more"]))
    for name in ("word_index", "index_word", "word_counts", "word_docs", "document_count"):
        assert getattr(ours, name) == getattr(theirs, name)
    rows = ours.texts_to_sequences(NEW)
    assert rows == theirs.texts_to_sequences(NEW)
    assert ours.sequences_to_texts([*rows, [99]]) == theirs.sequences_to_texts([*rows, [99]])
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_allclose(
            ours.texts_to_matrix(NEW, mode), theirs.texts_to_matrix(NEW, mode=mode)
        )


def test_text_to_word_sequence():
    for text in TEXTS:
        assert text_to_word_sequence(text) == keras_text.text_to_word_sequence(text)


def test_lists_of_words():
    ours, theirs = Tokenizer(), keras_text.Tokenizer()
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_texts([["Some", "words"], ["words"]])
    assert ours.word_index == theirs.word_index == {"words": 1, "some": 2}


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: Tokenizer(0), ValueError, "`num_words` must be an integer of at least 1"),
        (lambda: Tokenizer().texts_to_sequences(["a"]), ValueError, "has no words yet: call"),
        (lambda: Tokenizer().texts_to_matrix(["a"]), ValueError, "has no words yet"),
        (
            lambda: Tokenizer().fit_on_texts("a text"),
            TypeError,
            r"write `fit_on_texts\(\[text\]\)`",
        ),
        (lambda: Tokenizer().fit_on_texts([1]), TypeError, "takes texts, received 1"),
        (
            lambda: Tokenizer(5).sequences_to_matrix([[1]], "tf_idf"),
            ValueError,
            "Did you mean `tfidf`",
        ),
    ],
)
def test_invalid_arguments(mistake, error, message):
    with pytest.raises(error, match=message):
        mistake()
