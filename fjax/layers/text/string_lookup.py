"""Lookup of strings in a vocabulary."""

from typing import Any

import jax
import numpy as np

from fjax.errors import integer_at_least
from fjax.layers.features.data_layer import is_traced
from fjax.layers.features.salt import parse_salt
from fjax.layers.text.bags import encode_bags
from fjax.layers.text.text_layer import TextLayer
from fjax.typing import Params


class StringLookup(TextLayer):
    """Map strings to their indices in a vocabulary, or with `invert` indices to strings.

    The first indices belong to special tokens: 0 to the mask token if there is one, the next ones
    to strings out of the vocabulary (OOV). The other tokens follow by decreasing frequency, equally
    frequent ones in reverse alphabetical order.

    Args:
        max_tokens: The maximum size of the vocabulary, special tokens included.
        num_oov_indices: The number of indices for strings out of the vocabulary, which a hash
            chooses from; 0 makes such strings an error.
        mask_token: The string that stands for missing values. It has index 0 if `output_mode` is
            "int", and no column otherwise.
        oov_token: The string that `invert` returns for the indices of unknown strings.
        vocabulary: A list of strings, or the name of a text file with one string per line. Without
            it, `adapt` learns the vocabulary from data.
        idf_weights: The weight of each token in the mode "tf_idf".
        invert: Whether to map indices to strings.
        output_mode: "int" for indices; "one_hot" for one row per string; "multi_hot", "count" and
            "tf_idf" for one row per sample, with a one, the count, or the weighted count for each
            token.
        pad_to_max_tokens: Whether rows have `max_tokens` columns even if the vocabulary is smaller.
        sparse: Must be False: fjax has only dense arrays.
        encoding: The encoding of bytes.
        salt: An integer or a pair of integers: the key of SipHash-2-4, which replaces FarmHash's
            Fingerprint64 as the hash.

    JAX has no arrays of strings: called on strings, the layer computes on the host. A model that
    starts with the layer does so, too, and passes the indices to its compiled program.

    Shapes: any; "one_hot" adds an axis or replaces a last axis of size 1; the modes with one row
    per sample map (batch, strings) to (batch, tokens), and (strings,) as one sample.

    Raises:
        TypeError: The inputs are numbers, or strings with `invert`.
        ValueError: There is no vocabulary yet, it is invalid, or with `num_oov_indices=0` a string
            is out of the vocabulary.

    Source: Keras's page "StringLookup layer".

    >>> layer = StringLookup(vocabulary=["a", "b", "c", "d"])
    >>> layer([["a", "c", "d"], ["d", "z", "b"]]).tolist()
    [[1, 3, 4], [4, 0, 2]]
    >>> StringLookup(vocabulary=layer.get_vocabulary(), invert=True)([4, 0, 2]).tolist()
    ['d', '[UNK]', 'b']
    """

    max_tokens: int | None = None
    num_oov_indices: int = 1
    mask_token: str | None = None
    oov_token: str | None = "[UNK]"
    vocabulary: tuple[str, ...] | None = None
    idf_weights: tuple[float, ...] | None = None
    invert: bool = False
    output_mode: str = "int"
    pad_to_max_tokens: bool = False
    sparse: bool = False
    encoding: str = "utf-8"
    salt: tuple[int, int] | int | None = None

    def __post_init__(self) -> None:
        self.num_oov_indices = integer_at_least(
            "StringLookup", "num_oov_indices", self.num_oov_indices, 0
        )
        self.salt = parse_salt("StringLookup", self.salt)
        super().__post_init__()

    def encode(self, texts: Any) -> np.ndarray:
        """Return the indices of strings, or the rows of the other modes."""
        values = np.asarray(texts)
        unique, inverse = np.unique(self._decode(values), return_inverse=True)
        indices: np.ndarray = self._token_indices(unique.tolist())[inverse].reshape(values.shape)
        if self.output_mode == "int":
            return indices
        if self.output_mode == "one_hot":
            if indices.ndim > 1 and indices.shape[-1] == 1:
                indices = indices[..., 0]
            return (indices[..., None] == np.arange(self._depth)).astype(np.float32)
        return self._encode_bags(indices)

    def encoded_spec(self, shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
        """Return the shape and dtype that `encode` returns for strings of this shape."""
        if self.output_mode == "int":
            return jax.ShapeDtypeStruct(shape, "int32")
        if self.output_mode == "one_hot":
            leading = shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
        else:
            leading = shape[:-1]
        return jax.ShapeDtypeStruct((*leading, self._depth), "float32")

    def compute_outputs(self, params: Params, values: Any) -> Any:
        """Return the indices of strings, or with `invert` the strings of indices."""
        if not self.invert:
            return super().compute_outputs(params, values)
        if is_traced(values):
            raise TypeError(
                "`StringLookup` with `invert=True` returns strings, which compiled programs do not "
                "have: call it on the outputs of the model instead."
            )
        return self._lookup_strings(np.asarray(values))

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the indices of strings, or with `invert` the strings of indices."""
        if not self.invert:
            return super().__call__(*inputs, training=training, **options)
        return self.apply({}, {}, *inputs)[0]

    def _encode_bags(self, indices: np.ndarray) -> np.ndarray:
        """Return one row per sample."""
        if indices.ndim > 2:
            raise ValueError(
                f'`StringLookup`: `output_mode="{self.output_mode}"` takes one row of strings per '
                f"sample, shape (batch, strings), received shape {indices.shape}."
            )
        rows = encode_bags(np.atleast_2d(indices).tolist(), self._depth, self.output_mode)
        if self.output_mode == "tf_idf":
            rows *= self._idf_row()
        return rows if indices.ndim == 2 else rows[0]

    def _lookup_strings(self, indices: np.ndarray) -> np.ndarray:
        self.require_ready()
        if indices.dtype.kind not in "iu":
            raise TypeError(
                "`StringLookup` with `invert=True` takes integers, received "
                f"{indices.dtype.name} of shape {indices.shape}."
            )
        assert self.vocabulary is not None
        size = len(self.vocabulary)
        tokens = np.array([*self.vocabulary, self.oov_token], object)
        return tokens[np.where((indices >= 0) & (indices < size), indices, size)]

    def _decode(self, values: np.ndarray) -> np.ndarray:
        """Return an array of strings for an array of strings, bytes or objects."""
        if values.dtype.kind == "S":
            return np.char.decode(values, self.encoding)
        if values.dtype.kind == "O":
            flat = [self._to_token(value) for value in values.ravel()]
            return np.array(flat, np.str_).reshape(values.shape)
        return values

    def _split_batch(self, batch: Any) -> Any:
        values = np.asarray(batch)
        self._require_text(values)
        return self._decode(values).reshape(max(len(np.atleast_1d(values)), 1), -1).tolist()
