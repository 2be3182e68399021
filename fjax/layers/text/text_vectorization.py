"""Texts as numbers: cleaned, split into terms, and looked up in a vocabulary."""

import string
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import jax
import numpy as np

from fjax.errors import integer_at_least, one_of
from fjax.layers.text.bags import bag, padded
from fjax.layers.text.string_lookup import numbers_of
from fjax.layers.text.text_layer import TextLayer

PUNCTUATION = str.maketrans("", "", string.punctuation)
STANDARDS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
# What stands for the length of the longest text, for each sample of a batch.
ANY_LENGTH = 256
SPLITS = ("whitespace", "character")


class TextVectorization(TextLayer):
    """Texts as rows of word numbers, or as bags of words.

    Each text is standardized, split into words, which may be joined into n-grams, and these are
    numbered by a vocabulary: 0 is what fills up a row, 1 a word that is out of the vocabulary; the
    words follow, the most frequent one first, and of equally frequent ones that which is last in
    the alphabet. The bags have no column for the filling, so that there 0 is what is unknown.

    Args:
        max_tokens: The size of the vocabulary at most, special terms included.
        standardize: "lower_and_strip_punctuation" (of ASCII), "lower", "strip_punctuation", None,
            or a function of an array of strings that returns one like it.
        split: "whitespace", "character", None (each string is a term), or a function of an array of
            strings that returns a list of terms for each.
        ngrams: An integer, for all n-grams of up to so many terms, or a tuple of such numbers;
            the terms of one are joined by a space.
        output_mode: "int" for rows of numbers; "multi_hot", "count" and "tf_idf" for one row of the
            vocabulary's size, with a one, the count, or the weighted count of each term.
        output_sequence_length: The length to which rows of numbers are cut or filled up with 0; by
            default that of the longest text of the batch.
        pad_to_max_tokens: Whether a bag has `max_tokens` columns, whatever the vocabulary's size.
        vocabulary: A list of terms, or the name of a text file with one term a line. Without it
            `adapt` takes them from texts.
        idf_weights: The weight of each term in the mode "tf_idf".
        sparse: False; arrays are dense here.
        ragged: False; rows are filled up here.
        encoding: How bytes are read.

    Letters are lowered and white space is known in every script, where Keras knows those of ASCII.
    The weight of a term in "tf_idf" is log(1 + texts / (1 + texts that have it)).

    Strings are no JAX arrays: called on them the layer works on the host. A model that begins with
    it does so by itself, and its compiled programs get the numbers. With `output_sequence_length`
    every batch has one length; without it a model compiles for each that it meets.

    Shapes: (batch,) or (batch, 1) to (batch, length) or (batch, terms). With `split=None` terms may
    come as (batch, terms).

    Raises:
        TypeError: Numbers are given.
        ValueError: There is no vocabulary yet, or it does not fit.

    Source: Keras's page "TextVectorization layer".

    >>> vectorize = TextVectorization(output_sequence_length=4)
    >>> vectorize.adapt(["foo bar", "bar baz", "baz bada boom"])
    >>> vectorize.get_vocabulary()
    ['', '[UNK]', 'baz', 'bar', 'foo', 'boom', 'bada']
    >>> vectorize(["Foo, qux bar!", "qux baz"]).tolist()
    [[4, 1, 3, 0], [1, 2, 0, 0]]
    """

    max_tokens: int | None = None
    standardize: str | Callable[[Any], Any] | None = "lower_and_strip_punctuation"
    split: str | Callable[[Any], Any] | None = "whitespace"
    ngrams: int | tuple[int, ...] | None = None
    output_mode: str = "int"
    output_sequence_length: int | None = None
    pad_to_max_tokens: bool = False
    vocabulary: tuple[str, ...] | None = None
    idf_weights: tuple[float, ...] | None = None
    sparse: bool = False
    ragged: bool = False
    encoding: str = "utf-8"

    num_oov_indices: ClassVar[int] = 1
    mask_token: ClassVar[str] = ""
    oov_token: ClassVar[str] = "[UNK]"
    invert: ClassVar[bool] = False

    def __post_init__(self) -> None:
        owner = "TextVectorization"
        for argument, allowed in (("standardize", STANDARDS), ("split", SPLITS)):
            given = getattr(self, argument)
            if given is not None and not callable(given):
                one_of(owner, argument, given, allowed)
        if isinstance(self.ngrams, list | tuple):
            self.ngrams = tuple(
                integer_at_least(owner, "ngrams", width, 1) for width in self.ngrams
            )
        elif self.ngrams is not None:
            self.ngrams = integer_at_least(owner, "ngrams", self.ngrams, 1)
        if self.ragged:
            raise ValueError(f"`{owner}`: `ragged` must be False: rows are filled up here.")
        if self.output_sequence_length is not None:
            if self.output_mode != "int":
                raise ValueError(
                    f'`{owner}`: `output_sequence_length` is for `output_mode="int"`, received '
                    f"{self.output_mode!r}."
                )
            self.output_sequence_length = integer_at_least(
                owner, "output_sequence_length", self.output_sequence_length, 1
            )
        super().__post_init__()

    def encode(self, texts: Any) -> np.ndarray:
        """Return the rows of numbers of texts, or their bags of words."""
        rows = self._rows(texts)
        different = list({term for row in rows for term in row})
        numbers = dict(zip(different, numbers_of(self, different).tolist(), strict=True))
        numbered = [[numbers[term] for term in row] for row in rows]
        if self.output_mode == "int":
            return padded(numbered, self.output_sequence_length)
        if self.output_mode != "tf_idf":
            return bag(numbered, self._depth, self.output_mode)
        return bag(numbered, self._depth, "count") * self._idf()

    def encoded_spec(self, shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
        """Return the shape and dtype of what `encode` makes of texts of this shape."""
        if self.output_mode == "int":
            return jax.ShapeDtypeStruct(
                (shape[0], self.output_sequence_length or ANY_LENGTH * shape[0]), "int32"
            )
        return jax.ShapeDtypeStruct((shape[0], self._depth), "float32")

    def _modes(self) -> tuple[str, ...]:
        return "int", "multi_hot", "count", "tf_idf"

    def _rows(self, texts: Any) -> Sequence[Sequence[str]]:
        """Return the terms of each text."""
        values = np.atleast_1d(np.asarray(texts))
        if values.dtype.kind not in "USOT":
            raise self._no_text(values)
        strings = np.array([self._term(value) for value in values.ravel()], object)
        strings = self._standardized(strings.reshape(values.shape))
        rows = self._split(strings)
        return rows if self.ngrams is None else [self._joined(row) for row in rows]

    def _terms_of(self, batch: Any) -> Sequence[Sequence[str]]:
        return self._rows(batch)

    def _standardized(self, texts: np.ndarray) -> np.ndarray:
        if self.standardize is None:
            return texts
        if callable(self.standardize):
            made = np.asarray(self.standardize(texts.astype(np.str_)))
            if made.shape != texts.shape or made.dtype.kind not in "UOT":
                raise ValueError(
                    "`TextVectorization`: `standardize` must return an array of strings of shape "
                    f"{texts.shape}, it returned {made.dtype.name} of shape {made.shape}."
                )
            return made
        flat = [str(text) for text in texts.ravel()]
        if "lower" in self.standardize:
            flat = [text.lower() for text in flat]
        if "strip_punctuation" in self.standardize:
            flat = [text.translate(PUNCTUATION) for text in flat]
        return np.array(flat, object).reshape(texts.shape)

    def _split(self, texts: np.ndarray) -> Sequence[Sequence[str]]:
        if self.split is None:
            return texts.reshape(len(texts), -1).tolist()
        if texts.ndim > 1 and texts.shape[1:] != (1,):
            raise ValueError(
                "`TextVectorization` splits one text for each sample, shape (batch,) or "
                f"(batch, 1), received shape {texts.shape}. For terms that are split already "
                "there is `split=None`."
            )
        flat = texts.ravel().tolist()
        if self.split == "whitespace":
            return [text.split() for text in flat]
        if self.split == "character":
            return [list(text) for text in flat]
        assert callable(self.split)
        rows = self.split(np.array(flat, np.str_))
        if len(rows) != len(flat) or any(isinstance(row, str) for row in rows):
            raise ValueError(
                f"`TextVectorization`: `split` must return a list of terms for each of {len(flat)} "
                f"texts, it returned {type(rows).__name__} of {len(rows)}."
            )
        return [[str(term) for term in row] for row in rows]

    def _joined(self, terms: Sequence[str]) -> list[str]:
        """Return the n-grams of the terms of one text."""
        assert self.ngrams is not None
        given = self.ngrams
        widths = range(1, given + 1) if isinstance(given, int) else given
        return [
            " ".join(terms[start : start + width])
            for width in widths
            for start in range(len(terms) - width + 1)
        ]

    def _term(self, value: Any) -> str:
        if isinstance(value, bytes):
            return value.decode(self.encoding)
        if not isinstance(value, str):
            raise TypeError(
                f"`TextVectorization` takes strings, received {value!r} of type "
                f"`{type(value).__name__}`."
            )
        return str(value)
