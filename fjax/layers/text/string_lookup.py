"""Categories that are strings, by number."""

from typing import Any

import jax
import numpy as np

from fjax.core.checks import single_input
from fjax.errors import integer_at_least
from fjax.layers.features.data_layer import is_traced
from fjax.layers.features.salt import salt_of
from fjax.layers.text.bags import bag
from fjax.layers.text.text_layer import TextLayer
from fjax.typing import Key, Params, State


class StringLookup(TextLayer):
    """Strings as the numbers that they have in a vocabulary, and with `invert` back.

    The first numbers belong to the special terms: 0 to the mask, if there is one, the next to what
    is out of the vocabulary. The terms follow, the most frequent one first, and of equally frequent
    ones that which is last in the alphabet.

    Args:
        max_tokens: The size of the vocabulary at most, special terms included.
        num_oov_indices: Numbers for what is out of the vocabulary, dealt out by a hash; 0 to raise.
        mask_token: The string that stands for nothing. It has the number 0 where `output_mode` is
            "int", and no column in the others.
        oov_token: What `invert` returns for what is out of the vocabulary.
        vocabulary: A list of strings, or the name of a text file with one string a line. Without it
            `adapt` takes them from data.
        idf_weights: The weight of each term in the mode "tf_idf".
        invert: Whether to turn numbers into strings.
        output_mode: "int" for the numbers; "one_hot" for a row for each; "multi_hot", "count" and
            "tf_idf" for one row for each sample, with a one, the count, or the weighted count of
            each term.
        pad_to_max_tokens: Whether a row has `max_tokens` columns, whatever the vocabulary's size.
        sparse: False; arrays are dense here.
        encoding: How bytes are read.
        salt: One or two integers: the key of another hash (SipHash-2-4 in the place of FarmHash's
            Fingerprint64).

    Strings are no JAX arrays: called on them the layer works on the host. A model that begins with
    it does so by itself, and its compiled programs get the numbers.

    Shapes: any; "one_hot" adds an axis, or takes the place of a last one of size 1; the modes with
    a row for each sample take (batch, strings) to (batch, terms), and (batch,) as one sample.

    Raises:
        TypeError: Numbers are given, or strings with `invert`.
        ValueError: There is no vocabulary yet, it does not fit, or with `num_oov_indices=0` a
            string is out of it.

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
        self.salt = salt_of("StringLookup", self.salt)
        super().__post_init__()

    def encode(self, texts: Any) -> np.ndarray:
        """Return the numbers of strings, or the rows of the other modes."""
        return rows_of(self, self.numbers(texts))

    def numbers(self, texts: Any) -> np.ndarray:
        """Return the number of each string, -1 for one that is masked out of a row."""
        values = np.asarray(texts)
        different, places = np.unique(self._strings(values), return_inverse=True)
        return numbers_of(self, different.tolist())[places].reshape(values.shape)

    def encoded_spec(self, shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
        """Return the shape and dtype of what `encode` makes of strings of this shape."""
        if self.output_mode == "int":
            return jax.ShapeDtypeStruct(shape, "int32")
        if self.output_mode == "one_hot":
            own = shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
        else:
            own = shape[:-1]
        return jax.ShapeDtypeStruct((*own, self._depth), "float32")

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the numbers of strings, or with `invert` the strings of numbers."""
        if not self.invert:
            return super().apply(params, state, *inputs)
        values = single_input("StringLookup", inputs)
        if is_traced(values):
            raise TypeError(
                "`StringLookup` with `invert=True` returns strings, which a compiled program has "
                "none of: call it on the model's outputs instead."
            )
        return self._inverted(np.asarray(values)), state

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the numbers of strings, or with `invert` the strings of numbers."""
        if not self.invert:
            return super().__call__(*inputs, training=training, **options)
        return self.apply({}, {}, *inputs)[0]

    @property
    def _salt(self) -> Any:
        return self.salt

    def _inverted(self, numbers: np.ndarray) -> np.ndarray:
        self.require_ready()
        if numbers.dtype.kind not in "iu":
            raise TypeError(
                "`StringLookup` with `invert=True` takes integers, received "
                f"{numbers.dtype.name} of shape {numbers.shape}."
            )
        assert self.vocabulary is not None
        terms = np.array([*self.vocabulary, self.oov_token], object)
        inside = (numbers >= 0) & (numbers < len(self.vocabulary))
        return terms[np.where(inside, numbers, len(self.vocabulary))]

    def _strings(self, values: np.ndarray) -> np.ndarray:
        if values.dtype.kind == "S":
            return np.char.decode(values, self.encoding)
        if values.dtype.kind == "O":
            flat = [self._term(value) for value in values.ravel()]
            return np.array(flat, np.str_).reshape(values.shape)
        return values

    def _terms_of(self, batch: Any) -> Any:
        values = np.asarray(batch)
        if values.dtype.kind not in "USOT":
            raise self._no_text(values)
        return self._strings(values).reshape(max(len(np.atleast_1d(values)), 1), -1).tolist()

    def _term(self, value: Any) -> str:
        if isinstance(value, bytes):
            return value.decode(self.encoding)
        if not isinstance(value, str):
            raise TypeError(
                f"`StringLookup` takes strings, received {value!r} of type "
                f"`{type(value).__name__}`."
            )
        return str(value)


def numbers_of(layer: Any, terms: list[str]) -> np.ndarray:
    """Return the number of each term, by the vocabulary of a layer.

    Raises:
        ValueError: The layer has no number for a term that is out of it.
    """
    known = layer._known()
    unknown = [term for term in terms if term not in known]
    if unknown and layer.num_oov_indices == 0:
        raise layer._no_place(unknown)
    if layer.num_oov_indices > 1:
        buckets = {term: layer._bucket(term) for term in unknown}
    else:
        buckets = dict.fromkeys(unknown, layer._first_unknown)
    return np.array([known[term] if term in known else buckets[term] for term in terms], np.int32)


def rows_of(layer: Any, numbers: np.ndarray) -> np.ndarray:
    """Return numbers in the output mode of a layer."""
    mode = layer.output_mode
    if mode == "int":
        return numbers
    if mode == "one_hot":
        if numbers.ndim > 1 and numbers.shape[-1] == 1:
            numbers = numbers[..., 0]
        return (numbers[..., None] == np.arange(layer._depth)).astype(np.float32)
    if numbers.ndim > 2:
        raise ValueError(
            f'`{type(layer).__name__}`: `output_mode="{mode}"` takes one row of strings for each '
            f"sample, shape (batch, strings), received shape {numbers.shape}."
        )
    array = bag(np.atleast_2d(numbers).tolist(), layer._depth, mode)
    if mode == "tf_idf":
        array *= layer._idf()
    return array if numbers.ndim == 2 else array[0]
