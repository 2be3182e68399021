"""Categories that are integers, by number."""

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.core.checks import single_input
from fjax.errors import integer_at_least, is_integer, one_of
from fjax.layers.features.data_layer import is_traced
from fjax.layers.features.encoding import encode_categories
from fjax.layers.features.integers import hashed, integers
from fjax.layers.features.salt import salt_of
from fjax.layers.text.vocabulary import VocabularyLayer
from fjax.typing import Array, Key, Params, State


class IntegerLookup(VocabularyLayer):
    """Integers as the numbers that they have in a vocabulary, and with `invert` back.

    The first numbers belong to the special terms: 0 to the mask, if there is one, the next to what
    is out of the vocabulary. The terms follow, the most frequent one first, and of equally frequent
    ones the largest.

    Args:
        max_tokens: The size of the vocabulary at most, special terms included.
        num_oov_indices: Numbers for what is out of the vocabulary; 0 to raise.
        mask_token: The integer that stands for nothing. It has the number 0 where `output_mode` is
            "int", and no column in the others.
        oov_token: What `invert` returns for what is out of the vocabulary.
        vocabulary: A list of integers, or the name of a text file with one a line. Without it
            `adapt` takes them from data.
        vocabulary_dtype: "int64", the one that there is; numbers have 32 bits here.
        idf_weights: The weight of each term in the mode "tf_idf".
        invert: Whether to turn numbers into integers of the vocabulary.
        output_mode: As in `StringLookup`.
        sparse: False; arrays are dense here.
        pad_to_max_tokens: Whether a row has `max_tokens` columns, whatever the vocabulary's size.
        oov_method: How what is out of the vocabulary is dealt out to several numbers: "floormod" by
            its rest, "farmhash" by a hash of its digits.
        salt: With "farmhash" one or two integers: the key of another hash (SipHash-2-4).

    It is a layer as any, and works within compiled programs. With `num_oov_indices=0` a model
    refuses data that has an integer out of the vocabulary before it trains; within a compiled
    program, where none can be refused, it has the number -1, and a row of zeros.

    Shapes: any; "one_hot" adds an axis, or takes the place of a last one of size 1; the modes with
    a row for each sample take (batch, integers) to (batch, terms), and (batch,) as one sample.

    Raises:
        TypeError: No numbers are given.
        ValueError: There is no vocabulary yet, it does not fit, or with `num_oov_indices=0` an
            integer is out of it.

    Source: Keras's page "IntegerLookup layer".

    >>> layer = IntegerLookup(vocabulary=[12, 36, 1138, 42])
    >>> layer([[12, 1138, 42], [42, 1000, 36]]).tolist()
    [[1, 3, 4], [4, 0, 2]]
    >>> layer = IntegerLookup(output_mode="count")
    >>> layer.adapt([7, 7, 5])
    >>> layer.get_vocabulary(), layer([[5, 7, 7, 1]]).tolist()
    ([-1, 7, 5], [[1.0, 2.0, 1.0]])
    """

    max_tokens: int | None = None
    num_oov_indices: int = 1
    mask_token: int | None = None
    oov_token: int | None = -1
    vocabulary: tuple[int, ...] | None = None
    vocabulary_dtype: str = "int64"
    idf_weights: tuple[float, ...] | None = None
    invert: bool = False
    output_mode: str = "int"
    sparse: bool = False
    pad_to_max_tokens: bool = False
    oov_method: str = "floormod"
    salt: tuple[int, int] | int | None = None

    def __post_init__(self) -> None:
        owner = "IntegerLookup"
        self.num_oov_indices = integer_at_least(owner, "num_oov_indices", self.num_oov_indices, 0)
        one_of(owner, "vocabulary_dtype", self.vocabulary_dtype, ["int64"])
        one_of(owner, "oov_method", self.oov_method, ["floormod", "farmhash"])
        self.salt = salt_of(owner, self.salt)
        if self.salt is not None and self.oov_method != "farmhash":
            raise ValueError(f'`{owner}`: `salt` needs `oov_method="farmhash"`.')
        super().__post_init__()

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the numbers of integers, or with `invert` the integers of numbers."""
        self.require_ready()
        values = integers("IntegerLookup", single_input("IntegerLookup", inputs))
        terms = np.array(self.vocabulary, np.int32)
        if self.invert:
            inside = (values >= 0) & (values < len(terms))
            others = jnp.int32(-1 if self.oov_token is None else self.oov_token)
            return jnp.where(inside, jnp.take(terms, values, mode="clip"), others), state
        numbers = self._numbers_of(values, terms)
        if self.output_mode == "int":
            return numbers, state
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        rows = encode_categories("IntegerLookup", numbers, mode, self._depth)
        return rows * self._idf() if self.output_mode == "tf_idf" else rows, state

    def check_inputs(self, *inputs: Any) -> None:
        """Raise ValueError where data holds an integer that has no number."""
        self.require_ready()
        if self.num_oov_indices > 0 or self.invert:
            return
        known = {*self.get_vocabulary(), self.mask_token}
        unknown = [v for v in np.unique(np.asarray(inputs[0])).tolist() if v not in known]
        if unknown:
            raise self._no_place(unknown)

    def _numbers_of(self, values: Array, terms: np.ndarray) -> Array:
        own = terms[self._first_term :]
        order = np.argsort(own).astype(np.int32)
        places = jnp.searchsorted(own[order], values).clip(0, len(own) - 1)
        known = jnp.take(own[order], places) == values
        numbers = jnp.take(order, places) + self._first_term
        masked = jnp.zeros(values.shape, bool)
        if self.mask_token is not None:
            masked = values == self.mask_token
        if self.num_oov_indices == 0:
            if not is_traced(values):
                self.check_inputs(values)
            others = jnp.full(values.shape, -1)
        elif self.num_oov_indices == 1:
            others = jnp.full(values.shape, self._first_unknown)
        elif self.oov_method == "floormod":
            others = values % self.num_oov_indices + self._first_unknown
        else:
            others = hashed(values, self.num_oov_indices, self.salt) + self._first_unknown  # type: ignore[arg-type]
        numbers = jnp.where(known, numbers, others)
        mask = 0 if self.output_mode == "int" else -1
        return jnp.where(masked, mask, numbers).astype(jnp.int32)

    def _terms_of(self, batch: Any) -> Iterable[list[int]]:
        values = np.asarray(integers("IntegerLookup", np.asarray(batch)))
        return values.reshape(max(len(np.atleast_1d(values)), 1), -1).tolist()

    def _term(self, value: Any) -> int:
        if isinstance(value, str) and value.removeprefix("-").isdigit():
            # A line of a file.
            value = int(value)
        if not is_integer(value) or not -(2**31) <= value < 2**31:
            raise TypeError(
                f"`IntegerLookup`: `vocabulary` must hold integers of 32 bits, received {value!r}."
            )
        return int(value)
