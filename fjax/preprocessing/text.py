"""The tokenizer of Keras 2; for new programs, use `fjax.layers.TextVectorization`."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from fjax.errors import integer_at_least, one_of

# The characters that `Tokenizer` removes by default.
FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'

# The modes of `texts_to_matrix`.
MODES = ("binary", "count", "tfidf", "freq")


def text_to_word_sequence(
    input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """Return the words of a text.

    Args:
        input_text: The text.
        filters: Characters that are replaced by `split`.
        lower: Whether to convert the text to lower case.
        split: The separator of words.

    Source: Keras 2's page "Text preprocessing".

    >>> text_to_word_sequence("So good, so far!")
    ['so', 'good', 'so', 'far']
    """
    text = input_text.lower() if lower else input_text
    text = text.translate({ord(character): split for character in filters})
    return [word for word in text.split(split) if word]


class Tokenizer:
    """Turn texts into lists of word numbers, or into bags of words: Keras 2's class.

    Words are numbered from 1 by decreasing frequency, and words of the same frequency in the order
    in which they first occur; 0 is not a word. The layer `TextVectorization` does the same and is
    saved with a model.

    Args:
        num_words: Leave out words with this number or a larger one; the tokenizer still counts
            them.
        filters: Characters that are removed from texts.
        lower: Whether to convert texts to lower case.
        split: The separator of words.
        char_level: Whether to use characters instead of words.
        oov_token: The token for unknown words, with number 1; without it, they are left out.
        analyzer: A function that returns the words of a text, instead of the arguments above.

    Attributes:
        word_index: The number of each word.
        index_word: The word of each number.
        word_counts: How often each word occurs.
        word_docs: In how many texts each word occurs.
        document_count: The number of texts.

    Source: Keras 2's page "Text preprocessing".

    >>> tokenizer = Tokenizer(num_words=4)
    >>> tokenizer.fit_on_texts(["So good, so far.", "So bad"])
    >>> tokenizer.word_index
    {'so': 1, 'good': 2, 'far': 3, 'bad': 4}
    >>> tokenizer.texts_to_sequences(["so bad so good"])
    [[1, 1, 2]]
    >>> tokenizer.texts_to_matrix(["so so good"], mode="count").tolist()
    [[0.0, 2.0, 1.0, 0.0]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
    ) -> None:
        if num_words is not None:
            num_words = integer_at_least("Tokenizer", "num_words", num_words, 1)
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.word_counts: Counter[str] = Counter()
        self.word_docs: Counter[str] = Counter()
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}
        self.document_count = 0

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of texts, and update the numbers of words."""
        for words in self._split_texts("fit_on_texts", texts):
            self.document_count += 1
            self.word_counts.update(words)
            self.word_docs.update(set(words))
        ranked = [word for word, _ in self.word_counts.most_common()]
        first = [] if self.oov_token is None else [self.oov_token]
        # As in Keras, an `oov_token` that occurs in the texts has the number of its frequency.
        self.word_index = {word: number for number, word in enumerate(first + ranked, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Return the numbers of the words of each text."""
        self._require_words()
        unknown = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        return [
            [number for word in words if (number := self._number(word, unknown)) is not None]
            for words in self._split_texts("texts_to_sequences", texts)
        ]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Return texts of the words that have these numbers."""
        self._require_words()
        words = {n: w for n, w in self.index_word.items() if self._is_used(n)}
        return [
            " ".join(word for number in row if (word := words.get(int(number), self.oov_token)))
            for row in sequences
        ]

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """Return a row for each text, with a column for each word; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(
        self, sequences: Iterable[Iterable[int]], mode: str = "binary"
    ) -> np.ndarray:
        """Return a row for each list of word numbers, with a column for each word, in float64.

        Args:
            sequences: Lists of word numbers.
            mode: The entry of a word that occurs: "binary" for 1, "count" for its count, "freq" for
                its fraction of the text's words, or "tfidf" for
                (1 + log(count)) * log(1 + texts / (1 + texts with the word)).
        """
        one_of("Tokenizer", "mode", mode, MODES)
        width = self.num_words
        if width is None:
            self._require_words()
            width = len(self.word_index) + 1
        if mode == "tfidf" and not self.document_count:
            self._require_words()
        rows = [list(row) for row in sequences]
        matrix = np.zeros((len(rows), width))
        for index, row in enumerate(rows):
            for number, count in Counter(row).items():
                if 0 <= number < width:
                    matrix[index, number] = self._entry(number, count, len(row), mode)
        return matrix

    def _entry(self, number: int, count: int, length: int, mode: str) -> float:
        if mode == "binary":
            return 1.0
        if mode == "count":
            return count
        if mode == "freq":
            return count / length
        texts = self.word_docs[self.index_word[number]] if number in self.index_word else 0
        return (1 + math.log(count)) * math.log(1 + self.document_count / (1 + texts))

    def _is_used(self, number: int) -> bool:
        return self.num_words is None or number < self.num_words

    def _number(self, word: str, unknown: int | None) -> int | None:
        number = self.word_index.get(word)
        return number if number is not None and self._is_used(number) else unknown

    def _split_texts(self, method: str, texts: Iterable[Any]) -> Iterator[list[str]]:
        if isinstance(texts, str):
            raise TypeError(
                f"`Tokenizer.{method}` takes a list of texts, received one text: write "
                f"`{method}([text])`."
            )
        for text in texts:
            if isinstance(text, list):
                yield [word.lower() if self.lower else word for word in text]
            elif not isinstance(text, str):
                raise TypeError(f"`Tokenizer.{method}` takes texts, received {text!r}.")
            elif self.char_level:
                yield list(text.lower() if self.lower else text)
            elif self.analyzer is not None:
                yield self.analyzer(text)
            else:
                yield text_to_word_sequence(text, self.filters, self.lower, self.split)

    def _require_words(self) -> None:
        if not self.word_index:
            raise ValueError(
                "This `Tokenizer` has no words yet: call `tokenizer.fit_on_texts(texts)` first."
            )
