"""The base of the layers with a vocabulary: how it is learned from data, set and read."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from fjax.errors import integer_at_least
from fjax.layers.array_layer import ArrayLayer
from fjax.layers.features.data_layer import DataLayer
from fjax.layers.features.encoding import check_output
from fjax.layers.learned import not_ready, set_learned

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
OLDER_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}

# The name of the weights of the tokens in files of Keras.
IDF_WEIGHTS = "idf_weights"

# The number of tokens that an error message lists.
MAX_LISTED = 5


class VocabularyLayer(DataLayer, ArrayLayer):
    """Base of the layers that map the tokens of a vocabulary to indices.

    The vocabulary is part of the configuration: a tuple of tokens in the order of their indices,
    special tokens (mask, out of vocabulary) first. Only `adapt` and `set_vocabulary` change it,
    before a model that has the layer is used.
    """

    # As in Keras, the global policy does not change indices.
    casting = "none"
    has_policy = False
    derived_in_keras = frozenset({"vocabulary_size"})
    fields_beyond_keras = frozenset({"autocast"})
    # The groups within that of the layer that have the weights of the tokens in a file of Keras.
    weight_groups: ClassVar[tuple[str, ...]] = ("",)

    def __post_init__(self) -> None:
        super().__post_init__()
        layer: Any = self
        owner = self.kind
        layer.output_mode = OLDER_MODES.get(self.output_mode, self.output_mode)
        check_output(self, self._output_modes())
        if self.invert and self.output_mode != "int":
            raise ValueError(
                f'`{owner}`: `invert=True` needs `output_mode="int"`, received '
                f"{self.output_mode!r}."
            )
        if self.max_tokens is not None:
            minimum = max(self._num_special + 1, 2)
            layer.max_tokens = integer_at_least(owner, "max_tokens", self.max_tokens, minimum)
        elif self.pad_to_max_tokens:
            raise ValueError(f"`{owner}`: `pad_to_max_tokens=True` needs `max_tokens`.")
        if self.idf_weights is not None and self.output_mode != "tf_idf":
            raise self._needs_tf_idf()
        if self.vocabulary is not None:
            self.set_vocabulary(self.vocabulary, self.idf_weights)
            layer._made_with_vocabulary = True
        elif self.idf_weights is not None:
            raise ValueError(f"`{owner}`: `idf_weights` need a `vocabulary`.")

    def __repr__(self) -> str:
        # A vocabulary is too long for error messages.
        if self.vocabulary is None:
            return super().__repr__()
        size = len(self.vocabulary)
        short = super().__repr__().replace(repr(self.vocabulary), f"<{size} tokens>")
        return short.replace(repr(self.idf_weights), f"<{size} weights>")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the layer that `get_config` described, with its vocabulary.

        Raises:
            ValueError: The vocabulary is a file name: a configuration must not read files.
        """
        if isinstance(config.get("vocabulary"), str):
            raise ValueError(
                f"`{cls.__name__}.from_config`: `vocabulary` must be a list of tokens, received "
                f"the file name {config['vocabulary']!r}, which only the constructor reads."
            )
        return cls(**config)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary from data: the most frequent tokens first, ties in reverse order.

        Args:
            data: An array or a list, batch axis first; or an iterable of batches.
            batch_size: Ignored; it exists for compatibility with Keras.
            steps: The number of batches of an iterable to use; None uses all.

        Raises:
            ValueError: The data has no token, or the layer was made with a vocabulary.
        """
        owner = self.kind
        if "_made_with_vocabulary" in vars(self):
            raise ValueError(
                f"`{owner}.adapt`: the vocabulary was given when the layer was made: make a layer "
                "without `vocabulary` to learn it from data."
            )
        counts: Counter[Any] = Counter()
        sample_counts: Counter[Any] = Counter()
        num_samples = 0
        for tokens in self._samples(data, steps):
            counts.update(tokens)
            num_samples += 1
            if self.output_mode == "tf_idf":
                sample_counts.update(set(tokens))
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)
        if not counts:
            raise ValueError(
                f"`{owner}.adapt`: the data has no token to learn: each of its {num_samples} "
                "samples is empty or has only special tokens."
            )
        vocabulary = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        if self.max_tokens is not None:
            vocabulary = vocabulary[: self.max_tokens - self._num_special]
        weights = None
        if self.output_mode == "tf_idf":
            weights = [
                float(np.log(1 + num_samples / (1 + sample_counts[token]))) for token in vocabulary
            ]
        self.set_vocabulary(vocabulary, weights)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the vocabulary, with or without the special tokens at its start.

        Args:
            vocabulary: A list of tokens, or the name of a text file with one token per line.
            idf_weights: One weight per token, for `output_mode="tf_idf"`; special tokens that are
                not listed get the mean.

        Raises:
            ValueError: The vocabulary is empty, too large, lists a token twice or a special token
                in the wrong position, or the weights do not match.
        """
        tokens = self._parse_vocabulary(vocabulary)
        if not tokens:
            raise ValueError(f"`{self.kind}`: `vocabulary` is empty: it needs at least one token.")
        special = self._special_tokens()
        lists_special = tokens[: len(special)] == special
        ordinary = tokens[len(special) :] if lists_special else tokens
        self._check_tokens(ordinary, special)
        unlisted = 0 if lists_special else len(special)
        weights = self._parse_weights(idf_weights, len(tokens), unlisted)
        set_learned(self, vocabulary=(*special, *ordinary), idf_weights=weights)
        vars(self).pop("_index_of_token", None)

    def learn_lines(self, lines: Sequence[str], weights: np.ndarray | None) -> None:
        """Set the vocabulary that a layer of Keras learned, from the lines of a file.

        Args:
            lines: The tokens as text, special tokens first.
            weights: The weight of each token for `output_mode="tf_idf"`, or None.
        """
        # With `pad_to_max_tokens` there are weights beyond the tokens.
        self.set_vocabulary(list(lines), None if weights is None else weights[: len(lines)])

    def arrays_beside_weights(self) -> dict[str, np.ndarray]:
        """Return the arrays that a file of Keras has of what the layer learned, by name."""
        if self.idf_weights is None:
            return {}
        return {f"{group}vars/{IDF_WEIGHTS}": self._idf_row() for group in self.weight_groups}

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in the order of their indices; before `adapt` only special tokens."""
        tokens = self._special_tokens() if self.vocabulary is None else list(self.vocabulary)
        return tokens if include_special_tokens else tokens[self._num_special :]

    def vocabulary_size(self) -> int:
        """Return the number of tokens, special tokens included."""
        return len(self.get_vocabulary())

    def learned(self) -> Any:
        """Return what `adapt` computed: the vocabulary and its weights."""
        return self.vocabulary, self.idf_weights

    def require_ready(self) -> None:
        """Raise ValueError if there is no vocabulary yet."""
        if self.vocabulary is None:
            raise not_ready(
                self,
                "vocabulary",
                "call `layer.adapt(data)` or `layer.set_vocabulary(tokens)` before using the "
                "layer, or pass `vocabulary=`.",
            )

    @property
    def _num_special(self) -> int:
        """The number of special tokens, which is the index of the first ordinary token."""
        return len(self._special_tokens())

    @property
    def _first_oov_index(self) -> int:
        """The first of the indices for tokens out of the vocabulary."""
        return self._num_special - self.num_oov_indices

    @property
    def _depth(self) -> int:
        """The width of a row in all modes but "int"."""
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return self.max_tokens
        self.require_ready()
        return self.vocabulary_size()

    def _idf_row(self) -> np.ndarray:
        """Return the weight of each column."""
        weights = np.asarray(self.idf_weights, np.float32)
        return np.pad(weights, (0, self._depth - len(weights)))

    def _output_modes(self) -> tuple[str, ...]:
        return MODES

    def _special_tokens(self) -> list[Any]:
        has_mask = self.mask_token is not None and self.output_mode == "int"
        return [self.mask_token] * has_mask + [self.oov_token] * self.num_oov_indices

    def _samples(self, data: Any, steps: int | None) -> Iterator[Sequence[Any]]:
        """Return the tokens of each sample."""
        for batch in _batches(self.kind, data, steps):
            yield from self._split_batch(batch)

    def _split_batch(self, batch: Any) -> Iterable[Sequence[Any]]:
        """Return the tokens of each sample of a batch."""
        raise NotImplementedError

    def _to_token(self, value: Any) -> Any:
        """Return an entry of a vocabulary as a token, or raise TypeError."""
        raise NotImplementedError

    def _parse_vocabulary(self, vocabulary: Any) -> list[Any]:
        if isinstance(vocabulary, str | os.PathLike):
            vocabulary = self._read_lines(Path(vocabulary))
        if np.ndim(vocabulary) != 1:
            raise ValueError(
                f"`{self.kind}`: `vocabulary` must be a list of tokens or the name of a file, "
                f"received shape {np.shape(vocabulary)}."
            )
        return [self._to_token(value) for value in vocabulary]

    def _read_lines(self, path: Path) -> list[str]:
        if not path.is_file():
            raise ValueError(f"`{self.kind}`: there is no vocabulary file {str(path)!r}.")
        if self.output_mode == "tf_idf":
            raise ValueError(
                f'`{self.kind}`: with `output_mode="tf_idf"` pass the vocabulary as a list, with '
                "`idf_weights`: a file has no weights."
            )
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")

    def _check_tokens(self, ordinary: list[Any], special: list[Any]) -> None:
        repeated = [token for token, count in Counter(ordinary).items() if count > 1]
        if repeated:
            raise ValueError(
                f"`{self.kind}`: `vocabulary` lists tokens twice: {list_tokens(repeated)}. List "
                "each token once."
            )
        reserved = {"mask_token": self.mask_token}
        if self.invert:
            reserved["oov_token"] = self.oov_token
        for argument, token in reserved.items():
            if token is not None and token in ordinary:
                raise ValueError(
                    f"`{self.kind}`: `vocabulary` has the `{argument}` {token!r} at position "
                    f"{ordinary.index(token)}: leave all special tokens out, or start with all of "
                    f"them, {special}."
                )
        size = len(special) + len(ordinary)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"`{self.kind}`: the vocabulary has {size} tokens, special tokens included, but "
                f"`max_tokens` is {self.max_tokens}."
            )

    def _parse_weights(self, weights: Any, count: int, unlisted: int) -> tuple[float, ...] | None:
        """Return the weights of all tokens, the mean for special tokens that are not listed."""
        if self.output_mode != "tf_idf":
            if weights is not None:
                raise self._needs_tf_idf()
            return None
        if weights is None:
            raise ValueError(
                f'`{self.kind}`: a vocabulary for `output_mode="tf_idf"` needs `idf_weights`, one '
                "per token."
            )
        values = np.asarray(weights, np.float32)
        if values.shape != (count,):
            raise ValueError(
                f"`{self.kind}`: `idf_weights` must be one number for each of {count} tokens, "
                f"received shape {values.shape}."
            )
        return (float(values.mean()),) * unlisted + tuple(values.tolist())

    def _needs_tf_idf(self) -> ValueError:
        return ValueError(
            f'`{self.kind}`: `idf_weights` need `output_mode="tf_idf"`, received '
            f"{self.output_mode!r}."
        )

    def _unknown_tokens(self, tokens: Iterable[Any]) -> ValueError:
        return ValueError(
            f"`{self.kind}`: with `num_oov_indices=0` every token must be in the vocabulary, found "
            f"{list_tokens(list(tokens))}. Make the layer with `num_oov_indices=1` to map unknown "
            "tokens to an index of their own."
        )


def list_tokens(tokens: list[Any]) -> str:
    """Return the first tokens as text for an error message.

    >>> list_tokens(list("abcdefg"))
    "'a', 'b', 'c', 'd', 'e', …"
    """
    return ", ".join(map(repr, tokens[:MAX_LISTED])) + (", …" if len(tokens) > MAX_LISTED else "")


def _batches(owner: str, data: Any, steps: int | None) -> Iterable[Any]:
    """Return the batches of data; an array, a list or a text is a single batch."""
    if isinstance(data, str | bytes | list | tuple) or hasattr(data, "__array__"):
        return [data]
    if not hasattr(data, "__iter__"):
        raise TypeError(
            f"`{owner}.adapt` takes an array, a list or an iterable of batches, received {data!r}."
        )
    if steps is not None:
        return islice(data, integer_at_least(f"{owner}.adapt", "steps", steps, 1))
    return data
