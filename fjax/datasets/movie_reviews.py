"""Movie reviews: 10,685 sentences, each a positive or negative opinion of a film.

The sentence polarity data of B. Pang and L. Lee, "Seeing stars", 2005
(https://www.cs.cornell.edu/people/pabo/movie-review-data/), in lower case with spaces between the
tokens. This version splits some of the 10,662 published sentences in two; seven texts are empty.
"""

import os
from pathlib import Path

import numpy as np

from fjax.datasets.files import find
from fjax.datasets.split import Samples, shuffled_split

_FORMAT = (
    "The file is UTF-8 text with one review per line: 1 (positive) or 0 (negative), a tab, the "
    "sentence."
)


def load_data(
    path: str | os.PathLike[str] = "movie_reviews.tsv", test_split: float = 0.2, seed: int = 113
) -> tuple[Samples, Samples]:
    """Load the sentences, shuffled.

    The file is not downloaded: the published archive has another format.

    Args:
        path: The name of the file in FJAX_DATA or the cache, or an absolute path. It is UTF-8 text;
            each line is a label, a tab, and a sentence.
        test_split: The fraction of the sentences in the test set.
        seed: The seed of the shuffling.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of strings, and of labels in int64, 1 for
        positive and 0 for negative, each of shape `(sentences,)`.

    Raises:
        FileNotFoundError: The file was not found; the message describes its format.
        ValueError: The file holds other data, or an argument is invalid.

    >>> load_data("/nowhere/movie_reviews.tsv")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no file /nowhere/movie_reviews.tsv.
    """
    texts, labels = _read(find(os.fspath(path), advice=_FORMAT))
    return shuffled_split("movie_reviews.load_data", texts, labels, test_split, seed)


def _read(path: Path) -> Samples:
    try:
        # `splitlines` would also split at other characters, which sentences may contain.
        lines = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not the expected text: {error}. {_FORMAT}") from error
    labels, tabs, texts = zip(*(line.partition("\t") for line in lines), strict=True)
    for number, (label, tab) in enumerate(zip(labels, tabs, strict=True), start=1):
        if label not in ("0", "1") or not tab:
            raise ValueError(
                f"{path}, line {number}, is not the expected text: it begins with "
                f"{lines[number - 1][:20]!r}. {_FORMAT}"
            )
    return np.array(texts), np.array(labels).astype("int64")
