"""Hashing of categories, and of combinations of features, into bins."""

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from fjax.core.text_inputs import is_text
from fjax.errors import integer_at_least
from fjax.layers.array_layer import ArrayLayer
from fjax.layers.features.data_layer import DataLayer, is_traced
from fjax.layers.features.encoding import check_output, encode_categories
from fjax.layers.features.fingerprints import MASK64, fingerprint64, join_fingerprints
from fjax.layers.features.integers import call_on_host, hash_integers, hash_text, to_int32
from fjax.layers.features.salt import parse_salt
from fjax.typing import Array, Key, Params, State

# TensorFlow's initial fingerprint of a combination of features.
CROSSING_SEED = 0xDECAFCAFFE


class Hashing(DataLayer, ArrayLayer):
    """Map strings or integers to one of `num_bins` bins by their hash.

    The hash is FarmHash's Fingerprint64 of the string, or of the decimal digits of the integer,
    modulo `num_bins`. It is the same on every machine, and the same as in Keras.

    Args:
        num_bins: The number of bins, that of the mask included.
        mask_value: A string or integer that is mapped to bin 0; nothing else is.
        salt: An integer or a pair of integers: the key of SipHash-2-4, which replaces FarmHash.
        output_mode: "int" for the bin; "one_hot" for one row per value; "multi_hot" and "count" for
            one row per sample, with a one, or the count, for each bin.
        sparse: Must be False: fjax has only dense arrays.

    JAX has no arrays of strings: strings are hashed on the host, before they reach a model.
    Integers may be hashed in compiled programs, which call the host to do so; as everywhere in JAX,
    they have 32 bits.

    Shapes: any; "one_hot" adds an axis or replaces a last axis of size 1; the modes with one row
    per sample map (batch, values) to (batch, num_bins), and (values,) as one sample.

    Source: Keras's page "Hashing layer"; FarmHash (https://github.com/google/farmhash);
    J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", 2012.

    >>> Hashing(num_bins=3)([["A"], ["B"], ["C"], ["D"], ["E"]]).ravel().tolist()
    [1, 0, 1, 1, 2]
    >>> Hashing(num_bins=3, salt=[133, 137])(["A", "B", "C", "D", "E"]).tolist()
    [1, 2, 1, 0, 2]
    """

    # As in Keras, the global policy does not change indices.
    casting = "none"
    has_policy = False

    num_bins: int
    mask_value: str | int | None = None
    salt: tuple[int, int] | int | None = None
    output_mode: str = "int"
    sparse: bool = False

    takes_text: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = "Hashing"
        self.num_bins = integer_at_least(owner, "num_bins", self.num_bins, 1)
        self.salt = parse_salt(owner, self.salt)
        check_output(self, ["int", "one_hot", "multi_hot", "count"])

    def compute_outputs(self, params: Params, values: Any) -> Array:
        """Return the bin of each string or integer, or the rows of the other modes."""
        return encode_categories(self.kind, self._bins(values), self.output_mode, self.num_bins)

    def _bins(self, values: Any) -> Array:
        # Bin 0 is reserved for the mask, unless it is the only bin.
        reserved = int(self.mask_value is not None and self.num_bins > 1)
        count = self.num_bins - reserved
        if not is_text(values):
            bins, is_masked = self._hash_integers(values, count)
        elif is_traced(values):
            # The text is unknown: only the shape and the dtype of the result matter.
            return jnp.zeros(values.shape, jnp.int32)
        else:
            bins, is_masked = self._hash_texts(values, count)
        return jnp.where(is_masked, 0, bins + 1) if reserved else bins

    def _hash_texts(self, values: Any, count: int) -> tuple[Array, Array]:
        """Return the bin of each text, and whether it is the mask."""
        texts = np.asarray(values).astype(np.str_)
        unique, inverse = np.unique(texts, return_inverse=True)
        bins = [hash_text(text, count, self.salt) for text in unique.tolist()]  # type: ignore[arg-type]
        array = np.array(bins, np.int32)[inverse].reshape(texts.shape)
        return jnp.asarray(array), jnp.asarray(texts == self.mask_value)

    def _hash_integers(self, values: Any, count: int) -> tuple[Array, Array]:
        """Return the bin of each integer, and whether it is the mask."""
        numbers = to_int32("Hashing", values)
        bins = hash_integers(numbers, count, self.salt)  # type: ignore[arg-type]
        if self.mask_value is None:
            return bins, jnp.zeros(numbers.shape, bool)
        if not isinstance(self.mask_value, int):
            raise TypeError(
                f"`Hashing`: `mask_value` must be an integer for inputs of integers, received "
                f"{self.mask_value!r}."
            )
        return bins, numbers == self.mask_value


class HashedCrossing(DataLayer):
    """Map combinations of several features to one of `num_bins` bins by their hash.

    `layer((city, job))` takes two or more arrays of strings or integers, and returns the same bin
    for the same combination: the features' FarmHash fingerprints, joined in order, modulo
    `num_bins`. It is the same as in Keras.

    Args:
        num_bins: The number of bins.
        output_mode: "int" for the bin, "one_hot" for a row.
        sparse: Must be False: fjax has only dense arrays.

    Strings are hashed on the host, before they reach a model. Integers may be hashed in compiled
    programs, which call the host to do so.

    Shapes: several arrays (batch,) or (batch, 1) to the same shape; "one_hot" to (batch, num_bins).

    Raises:
        TypeError: The values are neither strings nor integers.
        ValueError: There is only one feature, or the shapes of the features differ.

    Source: Keras's page "HashedCrossing layer".

    >>> HashedCrossing(5)((["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102])).tolist()
    [1, 4, 1, 1, 3]
    """

    casting = "outputs"

    num_bins: int
    output_mode: str = "int"
    sparse: bool = False

    takes_text: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = "HashedCrossing"
        self.num_bins = integer_at_least(owner, "num_bins", self.num_bins, 1)
        check_output(self, ["int", "one_hot"])

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the bins of features, which are given in a tuple or list, or as arguments."""
        is_sequence = len(inputs) == 1 and isinstance(inputs[0], list | tuple)
        features = inputs[0] if is_sequence else inputs
        return super().__call__(*features, training=training, **options)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the bin of each combination, or its row."""
        self._check_shapes([tuple(value.shape) for value in inputs])
        features = [value if is_text(value) else _to_integers(value) for value in inputs]
        if any(is_text(value) and is_traced(value) for value in features):
            # The text is unknown: only the shape and the dtype of the result matter.
            bins = jnp.zeros(inputs[0].shape, jnp.int32)
        elif any(map(is_text, features)):
            bins = jnp.asarray(self._cross(*features))
        else:
            bins = call_on_host(self._cross, *features)
        return encode_categories(self.kind, bins, self.output_mode, self.num_bins), state

    def _check_shapes(self, shapes: list[tuple[int, ...]]) -> None:
        if len(shapes) < 2:
            raise ValueError(
                f"`HashedCrossing` takes two or more features, received {len(shapes)}: pass them "
                "as `layer((first, second))`."
            )
        shape = shapes[0]
        if len(set(shapes)) > 1 or len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
            raise ValueError(
                "`HashedCrossing` takes features of equal shape, (batch,) or (batch, 1), received "
                f"{', '.join(map(str, shapes))}."
            )

    def _cross(self, *features: Any) -> np.ndarray:
        columns = [_fingerprints(np.asarray(feature)) for feature in features]
        bins = []
        for fingerprints in zip(*columns, strict=True):
            joined = CROSSING_SEED
            for fingerprint in fingerprints:
                joined = join_fingerprints(joined, fingerprint)
            bins.append(joined % self.num_bins)
        return np.array(bins, np.int32).reshape(np.shape(features[0]))


def _fingerprints(feature: np.ndarray) -> list[int]:
    """Return a fingerprint of each value; that of an integer is the integer."""
    if feature.dtype.kind in "iu":
        return [number & MASK64 for number in feature.ravel().tolist()]
    return [fingerprint64(text.encode()) for text in feature.astype(np.str_).ravel().tolist()]


def _to_integers(values: Any) -> Array:
    if jnp.issubdtype(values.dtype, jnp.floating):
        raise TypeError(
            f"`HashedCrossing` takes strings or integers, received {values.dtype}: bin numbers by "
            "`Discretization` first."
        )
    return to_int32("HashedCrossing", values)
