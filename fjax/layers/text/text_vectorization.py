"""Vectorization of texts: standardize, split into tokens, and look these up in a vocabulary."""

import string
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import jax
import numpy as np

from fjax.errors import integer_at_least, one_of
from fjax.layers.text.bags import encode_bags, pad_rows
from fjax.layers.text.text_layer import TextLayer

PUNCTUATION = str.maketrans("", "", string.punctuation)
STANDARDS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
SPLITS = ("whitespace", "character")
# The unknown length of a row is declared as this multiple of the batch size.
UNKNOWN_LENGTH = 256


class TextVectorization(TextLayer):
    """Map texts to rows of token indices, or to bags of words.

    Each text is standardized and split into words, which may be joined into n-grams. A vocabulary
    maps these tokens to indices: 0 is padding, 1 stands for tokens out of the vocabulary. The other
    tokens follow by decreasing frequency, equally frequent ones in reverse alphabetical order. Bags
    have no column for padding, so column 0 stands for tokens out of the vocabulary.

    Args:
        max_tokens: The maximum size of the vocabulary, special tokens included.
        standardize: "lower_and_strip_punctuation" (ASCII punctuation), "lower",
            "strip_punctuation", None, or a function that maps an array of strings to another of
            the same shape.
        split: "whitespace", "character", None (each string is a token), or a function that maps an
            array of strings to a list of tokens for each string.
        ngrams: An integer n for all n-grams of up to n tokens, or a tuple of sizes; the tokens of
            an n-gram are joined by a space.
        output_mode: "int" for rows of indices; "multi_hot", "count" and "tf_idf" for bags: one row
            of the size of the vocabulary, with a one, the count, or the weighted count for each
            token.
        output_sequence_length: The length to which rows of indices are truncated or padded with 0;
            None means the length of the longest text of the batch.
        pad_to_max_tokens: Whether bags have `max_tokens` columns even if the vocabulary is smaller.
        vocabulary: A list of tokens, or the name of a text file with one token per line. Without
            it, `adapt` learns the vocabulary from texts.
        idf_weights: The weight of each token in the mode "tf_idf".
        sparse: Must be False: fjax has only dense arrays.
        ragged: Must be False: rows are padded.
        encoding: The encoding of bytes.

    Lowercasing and splitting at white space work for all of Unicode, whereas Keras's are limited to
    ASCII. The weight of a token in "tf_idf" is log(1 + texts / (1 + texts with the token)).

    JAX has no arrays of strings: called on strings, the layer computes on the host. A model that
    starts with the layer does so, too, and passes the indices to its compiled program. With
    `output_sequence_length` all batches have one length; without it the model compiles a program
    for each length that occurs.

    Shapes: (batch,) or (batch, 1) to (batch, length) or (batch, tokens). With `split=None` the
    inputs may have the shape (batch, tokens). A single text, of shape (), becomes one row.

    Raises:
        TypeError: The inputs are numbers.
        ValueError: There is no vocabulary yet, or it is invalid.

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
    weight_groups = ("", "_lookup_layer/")

    def __post_init__(self) -> None:
        owner = "TextVectorization"
        for argument, allowed in (("standardize", STANDARDS), ("split", SPLITS)):
            value = getattr(self, argument)
            if value is not None and not callable(value):
                one_of(owner, argument, value, allowed)
        if isinstance(self.ngrams, list | tuple):
            self.ngrams = tuple(integer_at_least(owner, "ngrams", size, 1) for size in self.ngrams)
        elif self.ngrams is not None:
            self.ngrams = integer_at_least(owner, "ngrams", self.ngrams, 1)
        if self.ragged:
            raise ValueError(f"`{owner}`: `ragged` must be False: fjax pads rows instead.")
        if self.output_sequence_length is not None:
            if self.output_mode != "int":
                raise ValueError(
                    f'`{owner}`: `output_sequence_length` needs `output_mode="int"`, received '
                    f"{self.output_mode!r}."
                )
            self.output_sequence_length = integer_at_least(
                owner, "output_sequence_length", self.output_sequence_length, 1
            )
        super().__post_init__()

    def encode(self, texts: Any) -> np.ndarray:
        """Return rows of token indices of texts, or their bags of words; for one text, one row."""
        if np.ndim(texts) == 0:
            return self.encode(np.atleast_1d(texts))[0]
        rows = self._tokenize(texts)
        unique = list({token for row in rows for token in row})
        index = dict(zip(unique, self._token_indices(unique).tolist(), strict=True))
        indices = [[index[token] for token in row] for row in rows]
        if self.output_mode == "int":
            return pad_rows(indices, self.output_sequence_length)
        if self.output_mode != "tf_idf":
            return encode_bags(indices, self._depth, self.output_mode)
        return encode_bags(indices, self._depth, "count") * self._idf_row()

    def encoded_spec(self, shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
        """Return the shape and dtype that `encode` returns for texts of this shape."""
        if self.output_mode == "int":
            length = self.output_sequence_length or UNKNOWN_LENGTH * shape[0]
            return jax.ShapeDtypeStruct((shape[0], length), "int32")
        return jax.ShapeDtypeStruct((shape[0], self._depth), "float32")

    def _output_modes(self) -> tuple[str, ...]:
        return "int", "multi_hot", "count", "tf_idf"

    def _tokenize(self, texts: Any) -> Sequence[Sequence[str]]:
        """Return the tokens of each text."""
        values = np.atleast_1d(np.asarray(texts))
        self._require_text(values)
        strings = np.array([self._to_token(value) for value in values.ravel()], object)
        rows = self._split_texts(self._standardize_texts(strings.reshape(values.shape)))
        return rows if self.ngrams is None else [self._join_ngrams(row) for row in rows]

    def _split_batch(self, batch: Any) -> Sequence[Sequence[str]]:
        return self._tokenize(batch)

    def _standardize_texts(self, texts: np.ndarray) -> np.ndarray:
        if self.standardize is None:
            return texts
        if callable(self.standardize):
            result = np.asarray(self.standardize(texts.astype(np.str_)))
            if result.shape != texts.shape or result.dtype.kind not in "UOT":
                raise ValueError(
                    "`TextVectorization`: `standardize` must return an array of strings of shape "
                    f"{texts.shape}, but returned {result.dtype.name} of shape {result.shape}."
                )
            return result
        flat = [str(text) for text in texts.ravel()]
        if "lower" in self.standardize:
            flat = [text.lower() for text in flat]
        if "strip_punctuation" in self.standardize:
            flat = [text.translate(PUNCTUATION) for text in flat]
        return np.array(flat, object).reshape(texts.shape)

    def _split_texts(self, texts: np.ndarray) -> Sequence[Sequence[str]]:
        if self.split is None:
            return texts.reshape(len(texts), -1).tolist()
        if texts.ndim > 1 and texts.shape[1:] != (1,):
            raise ValueError(
                "`TextVectorization` splits one text per sample, shape (batch,) or (batch, 1), "
                f"received shape {texts.shape}. For text that is already split, use `split=None`."
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
                f"`TextVectorization`: `split` must return a list of tokens for each of "
                f"{len(flat)} texts, but returned {type(rows).__name__} of {len(rows)}."
            )
        return [[str(token) for token in row] for row in rows]

    def _join_ngrams(self, tokens: Sequence[str]) -> list[str]:
        """Return the n-grams of the tokens of one text."""
        assert self.ngrams is not None
        sizes = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [
            " ".join(tokens[start : start + size])
            for size in sizes
            for start in range(len(tokens) - size + 1)
        ]
