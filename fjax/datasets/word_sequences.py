"""Texts as lists of word numbers, as the data sets `imdb` and `reuters` have them."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fjax.errors import integer_at_least, seed_of

Lists = list[list[int]]


@dataclasses.dataclass(frozen=True)
class Numbering:
    """How `load_data` of these data sets numbers words, and which texts it keeps.

    Args:
        owner: The function, for messages.
        num_words: Numbers from this one on become `oov_char`; None is the largest number.
        skip_top: Numbers below this one become `oov_char`.
        maxlen: Only texts with fewer words are kept; None keeps all.
        seed: The seed of the shuffling.
        start_char: The number at the start of each text; None for none.
        oov_char: The number of words that are left out; None drops them.
        index_from: What is added to all word numbers.

    Raises:
        ValueError: A number is not an integer of at least 0.
    """

    owner: str
    num_words: int | None
    skip_top: int
    maxlen: int | None
    seed: int
    start_char: int | None
    oov_char: int | None
    index_from: int

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if item.name not in ("owner", "seed") and value is not None:
                integer_at_least(self.owner, item.name, value, 0)
        seed_of(self.owner, self.seed)

    def generator(self) -> np.random.RandomState:
        """Return the generator of the orders of all parts of the data set."""
        return np.random.RandomState(self.seed)

    def shuffle(
        self, texts: Any, labels: np.ndarray, generator: np.random.RandomState
    ) -> tuple[Lists, np.ndarray]:
        """Return the texts in a random order, that of Keras, with their starts, and the labels."""
        order = np.arange(len(texts))
        generator.shuffle(order)
        marked = mark_start([texts[index] for index in order], self.start_char, self.index_from)
        return drop_long(self.owner, marked, labels[order], self.maxlen)

    def replace_rare(self, texts: Lists) -> Lists:
        """Return the texts with `oov_char` for rare and frequent words."""
        return replace_rare(texts, self.num_words, self.skip_top, self.oov_char)


def mark_start(texts: Sequence[Sequence[int]], start_char: int | None, index_from: int) -> Lists:
    """Return the texts with all numbers raised by `index_from`, and with a number at the start."""
    if start_char is None:
        return [[word + (index_from or 0) for word in text] for text in texts]
    return [[start_char, *(word + index_from for word in text)] for text in texts]


def drop_long(
    owner: str, texts: Lists, labels: np.ndarray, maxlen: int | None
) -> tuple[Lists, np.ndarray]:
    """Return the texts that are shorter than `maxlen`, and their labels; 0 or None keeps all.

    Raises:
        ValueError: There is no such text.
    """
    if not maxlen:
        return texts, labels
    kept = [index for index, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError(
            f"`{owner}`: no text has fewer than {maxlen} words: give a larger `maxlen`."
        )
    return [texts[index] for index in kept], labels[kept]


def replace_rare(texts: Lists, num_words: int | None, skip_top: int, oov_char: int | None) -> Lists:
    """Return the texts with `oov_char` for numbers below `skip_top` and from `num_words` on.

    As in Keras, without `num_words` this is the largest number that occurs, whose word is replaced.

    Args:
        texts: The texts.
        num_words: The limit; 0 or None for the largest number.
        skip_top: The first number that is kept.
        oov_char: The replacement; None drops the words.
    """
    limit = num_words or max(max(text) for text in texts)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < limit] for text in texts]
    return [[word if skip_top <= word < limit else oov_char for word in text] for text in texts]


def read_word_index(path: Path) -> dict[str, int]:
    """Return the dict of words and their numbers in a JSON file.

    Raises:
        ValueError: The file holds other data.
    """
    try:
        index = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not a JSON file: {error}.") from error
    if not isinstance(index, dict) or not all(type(number) is int for number in index.values()):
        raise ValueError(f"{path} is not a dict of words and their numbers.")
    return index


def as_objects(texts: Lists) -> np.ndarray:
    """Return an array of lists, `(texts,)`."""
    return np.array(texts, dtype=object)
