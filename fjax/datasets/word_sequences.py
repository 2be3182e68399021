"""Texts as lists of word numbers, as the data sets `imdb` and `reuters` have them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fjax.errors import integer_at_least

Lists = list[list[int]]


def check_arguments(owner: str, **arguments: Any) -> None:
    """Raise ValueError unless each argument is an integer of at least 0, or None."""
    for name, value in arguments.items():
        if value is not None:
            integer_at_least(owner, name, value, 0)


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


def shuffled(count: int, generator: np.random.RandomState) -> np.ndarray:
    """Return the numbers below `count` in a random order, that of Keras."""
    order = np.arange(count)
    generator.shuffle(order)
    return order


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
