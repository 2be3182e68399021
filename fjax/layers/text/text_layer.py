"""The base of the layers on text, which compute on the host."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core.text_inputs import is_text
from fjax.layers.features.data_layer import is_traced
from fjax.layers.features.integers import hash_text
from fjax.layers.text.vocabulary import VocabularyLayer
from fjax.typing import Array, Params


class TextLayer(VocabularyLayer):
    """Base of the layers that a model applies to text on the host, before its compiled program.

    A subclass defines `encode` and `encoded_spec`. Its `apply` encodes text outside of compiled
    programs; numbers pass unchanged, because they are the result of `encode`.
    """

    takes_text: ClassVar[bool] = True

    @property
    def on_host(self) -> bool:
        """Whether a model that starts with this layer calls `encode` on the host."""
        return not self.invert

    def encode(self, texts: Any) -> np.ndarray:
        """Return the indices or rows of texts, batch axis first."""
        raise NotImplementedError

    def encoded_spec(self, shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
        """Return the shape and dtype that `encode` returns for texts of this shape.

        The size of an axis that depends on the texts must depend on the batch size here, which
        marks it as unknown.
        """
        raise NotImplementedError

    def compute_outputs(self, params: Params, values: Any) -> Array:
        """Return encoded text; numbers, which a model has encoded already, are unchanged."""
        if not is_text(values):
            return jnp.asarray(values)
        if is_traced(values):
            spec = self.encoded_spec(values.shape)
            return jnp.zeros(spec.shape, spec.dtype)
        return jnp.asarray(self.encode(values))

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return encoded text, or a symbolic tensor for a symbolic tensor of text."""
        for value in inputs:
            is_symbolic = hasattr(value, "__call_layer__")
            accepts = value.dtype == "string" if is_symbolic else is_text(value) or is_traced(value)
            if not accepts:
                raise self._not_text(value)
        return super().__call__(*inputs, training=training, **options)

    def _token_indices(self, tokens: list[str]) -> np.ndarray:
        """Return the index of each token, -1 for the mask token in all modes but "int".

        Raises:
            ValueError: A token is out of the vocabulary, and `num_oov_indices` is 0.
        """
        known = self._known_indices()
        unknown = [token for token in tokens if token not in known]
        if unknown and self.num_oov_indices == 0:
            raise self._unknown_tokens(unknown)
        oov = dict.fromkeys(unknown, self._first_oov_index)
        if self.num_oov_indices > 1:
            for token in oov:
                oov[token] += hash_text(token, self.num_oov_indices, self.salt)
        return np.array([known[t] if t in known else oov[t] for t in tokens], np.int32)

    def _known_indices(self) -> dict[str, int]:
        """Return the index of each token of the vocabulary."""
        self.require_ready()
        if "_index_of_token" not in vars(self):
            ordinary = self.vocabulary[self._num_special :]
            indices = {token: index for index, token in enumerate(ordinary, self._num_special)}
            if self.mask_token is not None:
                # A bag of words has no column for the mask.
                indices[self.mask_token] = 0 if self.output_mode == "int" else -1
            object.__setattr__(self, "_index_of_token", indices)
        return vars(self)["_index_of_token"]

    def _require_text(self, values: np.ndarray) -> None:
        if values.dtype.kind not in "USOT":
            raise self._not_text(values)

    def _to_token(self, value: Any) -> str:
        if isinstance(value, bytes):
            return value.decode(self.encoding)
        if not isinstance(value, str):
            raise TypeError(
                f"`{self.kind}` takes strings, received {value!r} of type `{type(value).__name__}`."
            )
        return str(value)

    def _not_text(self, value: Any) -> TypeError:
        has_dtype = hasattr(value, "dtype")
        received = f"{value.dtype} of shape {value.shape}" if has_dtype else repr(value)
        return TypeError(
            f"`{self.kind}` takes text, received {received}. For numbers use `IntegerLookup`, "
            "`CategoryEncoding` or `Discretization`."
        )
