"""Lookup of integers in a vocabulary."""

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.core.placeholders import is_abstract
from fjax.errors import integer_at_least, is_integer, one_of
from fjax.layers.features.data_layer import is_traced
from fjax.layers.features.encoding import encode_categories
from fjax.layers.features.integers import hash_integers, to_int32
from fjax.layers.features.salt import parse_salt
from fjax.layers.text.vocabulary import VocabularyLayer
from fjax.typing import Array, Params


class IntegerLookup(VocabularyLayer):
    """Map integers to their indices in a vocabulary, or with `invert` indices to integers.

    The first indices belong to special tokens: 0 to the mask token if there is one, the next ones
    to integers out of the vocabulary (OOV). The other tokens follow by decreasing frequency,
    equally frequent ones in descending order.

    Args:
        max_tokens: The maximum size of the vocabulary, special tokens included.
        num_oov_indices: The number of indices for integers out of the vocabulary; 0 makes such
            integers an error.
        mask_token: The integer that stands for missing values. It has index 0 if `output_mode` is
            "int", and no column otherwise.
        oov_token: The integer that `invert` returns for the indices of unknown integers.
        vocabulary: A list of integers, or the name of a text file with one integer per line.
            Without it, `adapt` learns the vocabulary from data.
        vocabulary_dtype: Must be "int64"; fjax computes with 32 bits.
        idf_weights: The weight of each token in the mode "tf_idf".
        invert: Whether to map indices to integers of the vocabulary.
        output_mode: As in `StringLookup`.
        sparse: Must be False: fjax has only dense arrays.
        pad_to_max_tokens: Whether rows have `max_tokens` columns even if the vocabulary is smaller.
        oov_method: How to choose among several OOV indices: "floormod" by the remainder of the
            integer, "farmhash" by a hash of its decimal digits.
        salt: With "farmhash", an integer or a pair of integers: the key of SipHash-2-4, which
            replaces FarmHash's Fingerprint64.

    The layer also works in compiled programs. With `num_oov_indices=0` a model refuses data with
    an integer out of the vocabulary before training; a compiled program cannot raise, and maps such
    an integer to index -1 and to a row of zeros.

    Shapes: any; "one_hot" adds an axis or replaces a last axis of size 1; the modes with one row
    per sample map (batch, integers) to (batch, tokens), and (integers,) as one sample.

    Raises:
        TypeError: The inputs are not numbers.
        ValueError: There is no vocabulary yet, it is invalid, or with `num_oov_indices=0` an
            integer is out of the vocabulary.

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
        self.salt = parse_salt(owner, self.salt)
        if self.salt is not None and self.oov_method != "farmhash":
            raise ValueError(f'`{owner}`: `salt` needs `oov_method="farmhash"`.')
        super().__post_init__()

    def compute_outputs(self, params: Params, values: Any) -> Array:
        """Return the indices of integers, or with `invert` the integers of indices."""
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        values = to_int32("IntegerLookup", values)
        if self.vocabulary is None and is_abstract():
            # On symbolic tensors before `adapt`.
            return encode_categories("IntegerLookup", values, mode, self._depth_of(mode))
        self.require_ready()
        vocabulary = np.array(self.vocabulary, np.int32)
        if self.invert:
            is_index = (values >= 0) & (values < len(vocabulary))
            oov_token = jnp.int32(-1 if self.oov_token is None else self.oov_token)
            return jnp.where(is_index, jnp.take(vocabulary, values, mode="clip"), oov_token)
        indices = self._indices(values, vocabulary)
        rows = encode_categories("IntegerLookup", indices, mode, self._depth_of(mode))
        return rows * self._idf_row() if self.output_mode == "tf_idf" else rows

    def check_inputs(self, *inputs: Any) -> None:
        """Raise ValueError if data has an integer without an index."""
        self.require_ready()
        if self.num_oov_indices > 0 or self.invert:
            return
        known = {*self.get_vocabulary(), self.mask_token}
        unknown = [v for v in np.unique(np.asarray(inputs[0])).tolist() if v not in known]
        if unknown:
            raise self._unknown_tokens(unknown)

    def _depth_of(self, mode: str) -> int:
        return 0 if mode == "int" else self._depth

    def _indices(self, values: Array, vocabulary: np.ndarray) -> Array:
        """Return the index of each integer, -1 for the mask token in all modes but "int"."""
        ordinary = vocabulary[self._num_special :]
        order = np.argsort(ordinary).astype(np.int32)
        positions = jnp.searchsorted(ordinary[order], values).clip(0, len(ordinary) - 1)
        is_known = jnp.take(ordinary[order], positions) == values
        indices = jnp.take(order, positions) + self._num_special
        is_masked = jnp.zeros(values.shape, bool)
        if self.mask_token is not None:
            is_masked = values == self.mask_token
        indices = jnp.where(is_known, indices, self._oov_indices(values))
        mask_index = 0 if self.output_mode == "int" else -1
        return jnp.where(is_masked, mask_index, indices).astype(jnp.int32)

    def _oov_indices(self, values: Array) -> Array:
        """Return the index that each integer has if it is out of the vocabulary."""
        if self.num_oov_indices == 0:
            if not is_traced(values):
                self.check_inputs(values)
            return jnp.full(values.shape, -1)
        if self.num_oov_indices == 1:
            return jnp.full(values.shape, self._first_oov_index)
        if self.oov_method == "floormod":
            return values % self.num_oov_indices + self._first_oov_index
        bins = hash_integers(values, self.num_oov_indices, self.salt)  # type: ignore[arg-type]
        return bins + self._first_oov_index

    def _split_batch(self, batch: Any) -> Iterable[list[int]]:
        values = np.asarray(to_int32("IntegerLookup", np.asarray(batch)))
        return values.reshape(max(len(np.atleast_1d(values)), 1), -1).tolist()

    def _to_token(self, value: Any) -> int:
        if isinstance(value, str) and value.removeprefix("-").isdigit():
            # A line of a vocabulary file.
            value = int(value)
        if not is_integer(value) or not -(2**31) <= value < 2**31:
            raise TypeError(
                f"`IntegerLookup`: `vocabulary` must hold integers of 32 bits, received {value!r}."
            )
        return int(value)
