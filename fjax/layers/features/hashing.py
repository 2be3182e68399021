"""Categories by the hash of their names, without a vocabulary."""

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from fjax.core.checks import single_input
from fjax.core.text import is_text
from fjax.errors import integer_at_least, one_of
from fjax.layers.features.data_layer import DataLayer, is_traced
from fjax.layers.features.encoding import encode_categories
from fjax.layers.features.fingerprints import WORD, fingerprint64, join_fingerprints
from fjax.layers.features.integers import bucket, computed_on_host, hashed, integers
from fjax.layers.features.salt import salt_of
from fjax.typing import Array, Key, Params, State

# What the fingerprints of crossed features are joined to first.
FIRST = 0xDECAFCAFFE


class Hashing(DataLayer):
    """Strings or integers as one of so many numbers, by their hash.

    The hash is FarmHash's Fingerprint64 of the string, or of the integer's digits, modulo
    `num_bins`: the same on every machine, and the same that Keras uses.

    Args:
        num_bins: How many numbers there are, that of the mask included.
        mask_value: The string or integer that stands for nothing: it has the number 0 for itself.
        salt: One or two integers: the key of another hash (SipHash-2-4).
        output_mode: "int" for the number; "one_hot" for a row for each; "multi_hot" and "count" for
            one row for each sample, with a one, or the count, of each number.
        sparse: False; arrays are dense here.

    Strings are no JAX arrays: they are hashed on the host, before they are given to a model.
    Integers may come within compiled programs, which call the host for them; there, as everywhere
    in JAX, they have 32 bits.

    Shapes: any; "one_hot" adds an axis, or takes the place of a last one of size 1; the modes with
    a row for each sample take (batch, values) to (batch, num_bins), and (batch,) as one sample.

    Source: Keras's page "Hashing layer"; FarmHash (https://github.com/google/farmhash);
    J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", 2012.

    >>> Hashing(num_bins=3)([["A"], ["B"], ["C"], ["D"], ["E"]]).ravel().tolist()
    [1, 0, 1, 1, 2]
    >>> Hashing(num_bins=3, salt=[133, 137])(["A", "B", "C", "D", "E"]).tolist()
    [1, 2, 1, 0, 2]
    """

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
        self.salt = salt_of(owner, self.salt)
        one_of(owner, "output_mode", self.output_mode, ["int", "one_hot", "multi_hot", "count"])
        if self.sparse:
            raise ValueError(f"`{owner}`: `sparse` must be False: arrays are dense here.")

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the number of each string or integer, or the rows of the other modes."""
        numbers = self._numbers_of(single_input("Hashing", inputs))
        if self.output_mode == "int":
            return numbers, state
        return encode_categories("Hashing", numbers, self.output_mode, self.num_bins), state

    def _numbers_of(self, values: Any) -> Array:
        # The mask has the first number for itself, unless there is but one.
        masks = int(self.mask_value is not None and self.num_bins > 1)
        count = self.num_bins - masks
        if is_text(values):
            if is_traced(values):
                return jnp.zeros(values.shape, jnp.int32)
            texts = np.asarray(values).astype(np.str_)
            different, places = np.unique(texts, return_inverse=True)
            buckets = [bucket(text, count, self.salt) for text in different.tolist()]  # type: ignore[arg-type]
            numbers = jnp.asarray(np.array(buckets, np.int32)[places].reshape(texts.shape))
            masked = jnp.asarray(texts == self.mask_value)
        else:
            values = integers("Hashing", values)
            numbers = hashed(values, count, self.salt)  # type: ignore[arg-type]
            masked = jnp.zeros(values.shape, bool)
            if self.mask_value is not None:
                self._check_mask(int)
                masked = values == self.mask_value
        return jnp.where(masked, 0, numbers + 1) if masks else numbers

    def _check_mask(self, kind: type) -> None:
        if not isinstance(self.mask_value, kind):
            raise TypeError(
                f"`Hashing`: `mask_value` is {self.mask_value!r}, the inputs are integers: the "
                "mask must be one of them."
            )


class HashedCrossing(DataLayer):
    """Several features as one of so many numbers, by the hash of their combination.

    Called on two or more arrays of strings or integers, `layer((city, job))`, it returns the same
    number for the same combination: FarmHash fingerprints, joined in order, modulo `num_bins`, the
    same that Keras uses.

    Args:
        num_bins: How many numbers there are.
        output_mode: "int" for the number, "one_hot" for a row.
        sparse: False; arrays are dense here.

    Strings are hashed on the host, before they are given to a model; integers may come within
    compiled programs, which call the host for them.

    Shapes: several of (batch,) or (batch, 1) to the same; "one_hot" to (batch, num_bins).

    Raises:
        TypeError: The values are neither strings nor integers.
        ValueError: There is one input alone, or their shapes differ.

    Source: Keras's page "HashedCrossing layer".

    >>> HashedCrossing(5)((["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102])).tolist()
    [1, 4, 1, 1, 3]
    """

    num_bins: int
    output_mode: str = "int"
    sparse: bool = False

    takes_text: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = "HashedCrossing"
        self.num_bins = integer_at_least(owner, "num_bins", self.num_bins, 1)
        one_of(owner, "output_mode", self.output_mode, ["int", "one_hot"])
        if self.sparse:
            raise ValueError(f"`{owner}`: `sparse` must be False: arrays are dense here.")

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the numbers of features, which come in a tuple or list, or one by one."""
        several = len(inputs) == 1 and isinstance(inputs[0], list | tuple)
        return super().__call__(*(inputs[0] if several else inputs), training=training, **options)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the number of each combination, or its row."""
        if len(inputs) < 2:
            raise ValueError(
                f"`HashedCrossing` takes two or more features, received {len(inputs)}: "
                "`layer((one, other))`."
            )
        shapes = {tuple(value.shape) for value in inputs}
        shape = tuple(inputs[0].shape)
        if len(shapes) > 1 or len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
            raise ValueError(
                "`HashedCrossing` takes features of one shape, (batch,) or (batch, 1), received "
                f"{', '.join(str(tuple(value.shape)) for value in inputs)}."
            )
        features = [value if is_text(value) else _whole(value) for value in inputs]
        if any(is_text(value) and is_traced(value) for value in features):
            # Text that is not there: only the shape counts.
            numbers = jnp.zeros(shape, jnp.int32)
        elif any(map(is_text, features)):
            numbers = jnp.asarray(self._crossed(*features))
        else:
            numbers = computed_on_host(self._crossed, *features)
        if self.output_mode == "int":
            return numbers, state
        return encode_categories("HashedCrossing", numbers, "one_hot", self.num_bins), state

    def _crossed(self, *features: Any) -> np.ndarray:
        columns = [_fingerprints(np.asarray(feature)) for feature in features]
        crossed = []
        for parts in zip(*columns, strict=True):
            value = FIRST
            for part in parts:
                value = join_fingerprints(value, part)
            crossed.append(value % self.num_bins)
        return np.array(crossed, np.int32).reshape(np.shape(features[0]))


def _fingerprints(feature: np.ndarray) -> list[int]:
    if feature.dtype.kind in "iu":
        return [number & WORD for number in feature.ravel().tolist()]
    return [fingerprint64(text.encode()) for text in feature.astype(np.str_).ravel().tolist()]


def _whole(values: Any) -> Array:
    if jnp.issubdtype(values.dtype, jnp.floating):
        raise TypeError(
            f"`HashedCrossing` takes strings or integers, received {values.dtype}: make ranges of "
            "numbers by `Discretization` first."
        )
    return integers("HashedCrossing", values)
