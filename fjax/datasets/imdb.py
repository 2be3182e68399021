"""IMDB: 50,000 reviews of films, each a list of word numbers, with its sentiment.

By A. Maas et al., "Learning word vectors for sentiment analysis", 2011
(https://ai.stanford.edu/~amaas/data/sentiment/). The archive is Keras's.
"""

import os

from fjax.datasets.files import Download, fetcher, find
from fjax.datasets.object_arrays import read_lists
from fjax.datasets.split import Samples
from fjax.datasets.word_sequences import Numbering, as_objects, read_word_index

_FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_SOURCE = Download(
    _FOLDER + "imdb.npz",
    "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    17_464_789,
)
_WORDS = Download(_FOLDER + "imdb_word_index.json", "bfafd718b763782e994055a2d397834f", 1_641_221)


def load_data(
    path: str | os.PathLike[str] = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Samples, Samples]:
    """Load the reviews, shuffled (see `keras.datasets.imdb`).

    Words are numbered by decreasing frequency. The file is read in a few seconds; nothing in it is
    run.

    Args:
        path: The name of the file in FJAX_DATA or the cache, or an absolute path.
        num_words: Numbers from this one on become `oov_char`. None stands for the largest number,
            as in Keras.
        skip_top: Numbers below this one become `oov_char`.
        maxlen: Only reviews with fewer words are kept; None keeps all.
        seed: The seed of the shuffling.
        start_char: The number at the start of each review; None for none.
        oov_char: The number of words that are left out; None drops them.
        index_from: What is added to all word numbers.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of integers, and of labels, 1 for
        positive and 0 for negative, each of shape `(reviews,)`, 25,000 and 25,000.

    Raises:
        FileNotFoundError: The file was not found, and the download failed.
        ValueError: The file holds other data, or an argument is invalid.

    >>> load_data("/nowhere/imdb.npz")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no file /nowhere/imdb.npz.
    """
    owner = "imdb.load_data"
    numbering = Numbering(
        owner, num_words, skip_top, maxlen, seed, start_char, oov_char, index_from
    )
    file = find(os.fspath(path), fetcher(_SOURCE))
    kinds = {"x_train": "lists", "y_train": "integers", "x_test": "lists", "y_test": "integers"}
    arrays = read_lists(file, kinds)
    generator = numbering.generator()
    texts, labels, counts = [], [], []
    for part in ("train", "test"):
        x, y = numbering.shuffle(arrays[f"x_{part}"], arrays[f"y_{part}"], generator)
        texts += x
        labels.append(y)
        counts.append(len(x))
    texts = numbering.replace_rare(texts)
    x_train, x_test = as_objects(texts[: counts[0]]), as_objects(texts[counts[0] :])
    return (x_train, labels[0]), (x_test, labels[1])


def get_word_index(path: str | os.PathLike[str] = "imdb_word_index.json") -> dict[str, int]:
    """Return the number of each word, before `index_from` is added (see `keras.datasets.imdb`).

    Args:
        path: The name of the file in FJAX_DATA or the cache, or an absolute path.

    Raises:
        FileNotFoundError: The file was not found, and the download failed.
        ValueError: The file holds other data.
    """
    return read_word_index(find(os.fspath(path), fetcher(_WORDS)))
