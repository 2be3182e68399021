"""Movie reviews: 10,685 single sentences, each for or against a film.

The sentence polarity data of B. Pang and L. Lee, "Seeing stars", 2005
(https://www.cs.cornell.edu/people/pabo/movie-review-data/), in lower case with spaces between the
words. Some of the 10,662 published sentences were cut in two in this form; seven texts are empty.
"""

import os
from pathlib import Path

import numpy as np

from fjax.datasets.files import find
from fjax.datasets.split import Samples, shuffled_split

_MAKE_IT = (
    "It is a text in UTF-8 with one review a line: 1 (for) or 0 (against), a tab, the sentence."
)


def load_data(
    path: str | os.PathLike[str] = "movie_reviews.tsv", test_split: float = 0.2, seed: int = 113
) -> tuple[Samples, Samples]:
    """Load the sentences, shuffled.

    The file is not downloaded: the published archive has another form.

    Args:
        path: The file's name in FJAX_DATA or the cache, or an absolute path. It is a text in UTF-8,
            each line `label`, tab, `sentence`.
        test_split: The share of sentences to test with.
        seed: What the shuffling follows from.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of strings, and of labels in int64, 1 for
        praise and 0 for blame, each of shape `(sentences,)`.

    Raises:
        FileNotFoundError: The file is nowhere; the message says what it looks like.
        ValueError: The file holds something else, or an argument is out of range.

    >>> load_data("/nowhere/movie_reviews.tsv")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no file /nowhere/movie_reviews.tsv.
    """
    found = find(os.fspath(path), otherwise=_MAKE_IT)
    texts, labels = _read(found)
    return shuffled_split("movie_reviews.load_data", texts, labels, test_split, seed)


def _read(path: Path) -> Samples:
    try:
        # Only line feeds end a line: a sentence may hold other characters that Python splits at.
        lines = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not the expected text: {error}. {_MAKE_IT}") from error
    labels, tabs, texts = zip(*(line.partition("\t") for line in lines), strict=True)
    for number, (label, tab) in enumerate(zip(labels, tabs, strict=True), start=1):
        if label not in ("0", "1") or not tab:
            raise ValueError(
                f"{path}, line {number}, is not the expected text: it begins with "
                f"{lines[number - 1][:20]!r}. {_MAKE_IT}"
            )
    return np.array(texts), np.array(labels).astype("int64")
