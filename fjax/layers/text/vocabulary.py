"""What layers with a vocabulary have in common: how it is learned, set and told."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from fjax.errors import integer_at_least, one_of
from fjax.layers.features.data_layer import DataLayer
from fjax.layers.features.fingerprints import fingerprint64, siphash24

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
OLDER = {"binary": "multi_hot", "tf-idf": "tf_idf"}

# How many terms a message names.
SHOWN = 5


class VocabularyLayer(DataLayer):
    """Base of layers that number the terms of a vocabulary.

    The vocabulary is configuration: a tuple of terms in the order of their numbers, the special
    ones (mask, out of vocabulary) first. `adapt` and `set_vocabulary` are the changes that such a
    layer admits, before a model that holds it is used.
    """

    _salt: ClassVar[Any] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        mode = OLDER.get(self.output_mode, self.output_mode)
        object.__setattr__(self, "output_mode", one_of(owner, "output_mode", mode, self._modes()))
        if self.sparse:
            raise ValueError(f"`{owner}`: `sparse` must be False: arrays are dense here.")
        if self.invert and self.output_mode != "int":
            raise ValueError(
                f'`{owner}`: `invert=True` needs `output_mode="int"`, received '
                f"{self.output_mode!r}."
            )
        if self.max_tokens is not None:
            room = max(self._first_term + 1, 2)
            most = integer_at_least(owner, "max_tokens", self.max_tokens, room)
            object.__setattr__(self, "max_tokens", most)
        elif self.pad_to_max_tokens:
            raise ValueError(f"`{owner}`: `pad_to_max_tokens=True` needs `max_tokens`.")
        if self.idf_weights is not None and self.output_mode != "tf_idf":
            raise ValueError(
                f'`{owner}`: `idf_weights` are for `output_mode="tf_idf"`, received '
                f"{self.output_mode!r}."
            )
        if self.vocabulary is not None:
            self.set_vocabulary(self.vocabulary, self.idf_weights)
            object.__setattr__(self, "_given", True)
        elif self.idf_weights is not None:
            raise ValueError(f"`{owner}`: `idf_weights` need a `vocabulary`.")

    def __repr__(self) -> str:
        # A vocabulary is too long to be told in each message.
        if self.vocabulary is None:
            return super().__repr__()
        short = super().__repr__().replace(repr(self.vocabulary), f"<{len(self.vocabulary)} terms>")
        return short.replace(repr(self.idf_weights), f"<{len(self.vocabulary)} weights>")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the layer that `get_config` described, which holds its vocabulary.

        Raises:
            ValueError: The vocabulary is the name of a file: a description reads none.
        """
        if isinstance(config.get("vocabulary"), str):
            raise ValueError(
                f"`{cls.__name__}.from_config`: `vocabulary` must be a list of terms, received the "
                f"file name {config['vocabulary']!r}, which only a constructor reads."
            )
        return cls(**config)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take the vocabulary from data: the most frequent term first, of equal ones the last.

        Args:
            data: The data, batch axis first; or an iterable of batches.
            batch_size: Accepted for Keras's sake.
            steps: How many batches of an iterable to take.

        Raises:
            ValueError: The data has no term, or the vocabulary was given already.
        """
        owner = type(self).__name__
        if "_given" in vars(self):
            raise ValueError(
                f"`{owner}.adapt`: the vocabulary was given when the layer was made: make one "
                "without `vocabulary` to take it from data."
            )
        counts: Counter[Any] = Counter()
        documents: Counter[Any] = Counter()
        total = 0
        for document in self._documents(data, steps):
            counts.update(document)
            total += 1
            if self.output_mode == "tf_idf":
                documents.update(set(document))
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)
        if not counts:
            raise ValueError(
                f"`{owner}.adapt`: the data has no term to learn, of {total} samples: each is "
                "empty, or has special tokens alone."
            )
        terms = sorted(counts, key=lambda term: (counts[term], term), reverse=True)
        if self.max_tokens is not None:
            terms = terms[: self.max_tokens - self._first_term]
        weights = None
        if self.output_mode == "tf_idf":
            weights = [float(np.log(1 + total / (1 + documents[term]))) for term in terms]
        self.set_vocabulary(terms, weights)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the vocabulary, with or without the special terms at its start.

        Args:
            vocabulary: A list of terms, or the name of a text file with one term a line.
            idf_weights: With `output_mode="tf_idf"` one weight for each term; special terms that
                are not listed have the mean.

        Raises:
            ValueError: It is empty, too large, names a term twice or a special term in the wrong
                place, or the weights do not fit.
        """
        owner = type(self).__name__
        terms = self._terms(vocabulary)
        if not terms:
            raise ValueError(f"`{owner}`: `vocabulary` is empty: it needs one term at least.")
        special = self._special_terms()
        listed = terms[: len(special)] == special
        own = terms[len(special) :] if listed else terms
        self._check_terms(own, special)
        weights = self._weights(idf_weights, len(terms), 0 if listed else len(special))
        object.__setattr__(self, "vocabulary", (*special, *own))
        object.__setattr__(self, "idf_weights", weights)
        # Models that hold the layer keep what they have; later ones begin anew.
        for made in ("_home", "_numbers"):
            vars(self).pop(made, None)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the terms in the order of their numbers; before `adapt` the special ones."""
        terms = self._special_terms() if self.vocabulary is None else list(self.vocabulary)
        return terms if include_special_tokens else terms[self._first_term :]

    def vocabulary_size(self) -> int:
        """Return the number of terms, special ones included."""
        return len(self.get_vocabulary())

    def learned(self) -> Any:
        """Return what the layer has taken from data."""
        return self.vocabulary, self.idf_weights

    def require_ready(self) -> None:
        """Raise ValueError if there is no vocabulary yet."""
        if self.vocabulary is None:
            raise ValueError(
                f"`{type(self).__name__}`{f' {self.name!r}' if self.name else ''} has no "
                "vocabulary yet: call `layer.adapt(data)` or `layer.set_vocabulary(terms)` before "
                "it is used, or give `vocabulary=`."
            )

    @property
    def _first_term(self) -> int:
        """The number of the first term that is not special."""
        return len(self._special_terms())

    @property
    def _first_unknown(self) -> int:
        """The number of the first of the terms for what is out of the vocabulary."""
        return self._first_term - self.num_oov_indices

    @property
    def _depth(self) -> int:
        """The width of a row in the modes that are not "int"."""
        self.require_ready()
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return self.max_tokens
        return self.vocabulary_size()

    def _idf(self) -> np.ndarray:
        """Return the weight of each column."""
        weights = np.asarray(self.idf_weights, np.float32)
        return np.pad(weights, (0, self._depth - len(weights)))

    def _modes(self) -> tuple[str, ...]:
        return MODES

    def _special_terms(self) -> list[Any]:
        masked = self.mask_token is not None and self.output_mode == "int"
        return [self.mask_token] * masked + [self.oov_token] * self.num_oov_indices

    def _documents(self, data: Any, steps: int | None) -> Iterator[Sequence[Any]]:
        """Return the terms of each sample."""
        for batch in _batches(type(self).__name__, data, steps):
            yield from self._terms_of(batch)

    def _terms_of(self, batch: Any) -> Iterable[Sequence[Any]]:
        raise NotImplementedError

    def _term(self, value: Any) -> Any:
        raise NotImplementedError

    def _terms(self, vocabulary: Any) -> list[Any]:
        if isinstance(vocabulary, str | os.PathLike):
            vocabulary = self._lines(Path(vocabulary))
        if np.ndim(vocabulary) != 1:
            raise ValueError(
                f"`{type(self).__name__}`: `vocabulary` must be a list of terms, or the name of a "
                f"file, received shape {np.shape(vocabulary)}."
            )
        return [self._term(term) for term in vocabulary]

    def _lines(self, path: Path) -> list[str]:
        owner = type(self).__name__
        if not path.is_file():
            raise ValueError(f"`{owner}`: there is no vocabulary file {str(path)!r}.")
        if self.output_mode == "tf_idf":
            raise ValueError(
                f'`{owner}`: with `output_mode="tf_idf"` the vocabulary is a list, with '
                "`idf_weights`: a file has no weights."
            )
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")

    def _check_terms(self, own: list[Any], special: list[Any]) -> None:
        owner = type(self).__name__
        twice = [term for term, count in Counter(own).items() if count > 1]
        if twice:
            raise ValueError(
                f"`{owner}`: `vocabulary` names terms twice: {shown(twice)}. Each term has one "
                "number."
            )
        reserved = {"mask_token": self.mask_token}
        if self.invert:
            reserved["oov_token"] = self.oov_token
        for argument, term in reserved.items():
            if term is not None and term in own:
                raise ValueError(
                    f"`{owner}`: `vocabulary` has the `{argument}` {term!r} at place "
                    f"{own.index(term)}: leave the special terms out, or begin by all of them, "
                    f"{special}."
                )
        size = len(special) + len(own)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"`{owner}`: the vocabulary has {size} terms with the special ones, `max_tokens` "
                f"is {self.max_tokens}."
            )

    def _weights(self, weights: Any, count: int, ahead: int) -> tuple[float, ...] | None:
        """Return the weights of all terms, with the mean for `ahead` special ones."""
        owner = type(self).__name__
        if self.output_mode != "tf_idf":
            if weights is not None:
                raise ValueError(
                    f'`{owner}`: `idf_weights` are for `output_mode="tf_idf"`, received '
                    f"{self.output_mode!r}."
                )
            return None
        if weights is None:
            raise ValueError(
                f'`{owner}`: a vocabulary for `output_mode="tf_idf"` needs `idf_weights`, one for '
                "each term."
            )
        values = np.asarray(weights, np.float32)
        if values.shape != (count,):
            raise ValueError(
                f"`{owner}`: `idf_weights` must be one number for each of {count} terms, received "
                f"shape {values.shape}."
            )
        return (float(values.mean()),) * ahead + tuple(values.tolist())

    def _known(self) -> dict[Any, int]:
        """Return the number of each term."""
        self.require_ready()
        if "_numbers" not in vars(self):
            own = self.vocabulary[self._first_term :]
            numbers = {term: number for number, term in enumerate(own, self._first_term)}
            if self.mask_token is not None:
                # In a bag of words the mask has no column.
                numbers[self.mask_token] = 0 if self.output_mode == "int" else -1
            object.__setattr__(self, "_numbers", numbers)
        return vars(self)["_numbers"]

    def _bucket(self, text: str) -> int:
        """Return the number of a term that is out of the vocabulary, by its hash."""
        data = text.encode()
        value = fingerprint64(data) if self._salt is None else siphash24(data, self._salt)
        return self._first_unknown + value % self.num_oov_indices

    def _no_place(self, unknown: Iterable[Any]) -> ValueError:
        return ValueError(
            f"`{type(self).__name__}`: with `num_oov_indices=0` every term must be in the "
            f"vocabulary, found {shown(list(unknown))}. Make the layer with `num_oov_indices=1` to "
            "number what is out of it."
        )


def shown(terms: list[Any]) -> str:
    """Return some terms for a message.

    >>> shown(list("abcdefg"))
    "'a', 'b', 'c', 'd', 'e', …"
    """
    return ", ".join(map(repr, terms[:SHOWN])) + (", …" if len(terms) > SHOWN else "")


def _batches(owner: str, data: Any, steps: int | None) -> Iterable[Any]:
    """Return the batches of data, which may be one."""
    whole = isinstance(data, str | bytes | list | tuple) or hasattr(data, "__array__")
    if whole:
        return [data]
    if not hasattr(data, "__iter__"):
        raise TypeError(
            f"`{owner}.adapt` takes an array, a list or an iterable of batches, received {data!r}."
        )
    if steps is not None:
        return islice(data, integer_at_least(f"{owner}.adapt", "steps", steps, 1))
    return data
