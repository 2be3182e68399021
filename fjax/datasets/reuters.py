"""Reuters: 11,228 newswires, each a list of word numbers, with one of 46 topics.

From the collection Reuters-21578 by D. Lewis
(https://archive.ics.uci.edu/dataset/137). The archive is Keras's.
"""

import os

from fjax.datasets.files import Download, fetcher, find
from fjax.datasets.object_arrays import read_lists
from fjax.datasets.split import Samples
from fjax.datasets.word_sequences import Numbering, as_objects, read_word_index
from fjax.errors import number_between

# The names of the topics, by number.
LABEL_NAMES = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply",
    "coffee", "sugar", "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi",
    "money-fx", "interest", "gnp", "meal-feed", "alum", "oilseed", "gold", "tin",
    "strategic-metal", "livestock", "retail", "ipi", "iron-steel", "rubber", "heat", "jobs", "lei",
    "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead",
)  # fmt: skip

_FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_SOURCE = Download(
    _FOLDER + "reuters.npz",
    "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    2_110_848,
)
_WORDS = Download(_FOLDER + "reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921", 550_378)


def load_data(
    path: str | os.PathLike[str] = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Samples, Samples]:
    """Load the newswires, shuffled (see `keras.datasets.reuters`).

    Words are numbered by decreasing frequency. Nothing in the file is run.

    Args:
        path: The name of the file in FJAX_DATA or the cache, or an absolute path.
        num_words: Numbers from this one on become `oov_char`. None stands for the largest number,
            as in Keras.
        skip_top: Numbers below this one become `oov_char`.
        maxlen: Only newswires with fewer words are kept; None keeps all.
        test_split: The fraction of the newswires in the test set.
        seed: The seed of the shuffling.
        start_char: The number at the start of each newswire; None for none.
        oov_char: The number of words that are left out; None drops them.
        index_from: What is added to all word numbers.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of integers, and of topics from 0 to
        45, each of shape `(newswires,)`.

    Raises:
        FileNotFoundError: The file was not found, and the download failed.
        ValueError: The file holds other data, or an argument is invalid.

    >>> load_data("/nowhere/reuters.npz")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no file /nowhere/reuters.npz.
    """
    owner = "reuters.load_data"
    numbering = Numbering(
        owner, num_words, skip_top, maxlen, seed, start_char, oov_char, index_from
    )
    number_between(owner, "test_split", test_split, 0.0, 1.0)
    file = find(os.fspath(path), fetcher(_SOURCE))
    arrays = read_lists(file, {"x": "lists", "y": "integers"})
    texts, labels = numbering.shuffle(arrays["x"], arrays["y"], numbering.generator())
    texts = numbering.replace_rare(texts)
    count = int(len(texts) * (1 - test_split))
    x_train, x_test = as_objects(texts[:count]), as_objects(texts[count:])
    return (x_train, labels[:count]), (x_test, labels[count:])


def get_word_index(path: str | os.PathLike[str] = "reuters_word_index.json") -> dict[str, int]:
    """Return the number of each word, before `index_from` is added (see `keras.datasets.reuters`).

    Args:
        path: The name of the file in FJAX_DATA or the cache, or an absolute path.

    Raises:
        FileNotFoundError: The file was not found, and the download failed.
        ValueError: The file holds other data.
    """
    return read_word_index(find(os.fspath(path), fetcher(_WORDS)))


def get_label_names() -> tuple[str, ...]:
    """Return the names of the topics, by number.

    >>> get_label_names()[:2]
    ('cocoa', 'grain')
    """
    return LABEL_NAMES
