"""Layers on text: computed on the host, a model's compiled programs get what they made."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core.checks import single_input
from fjax.core.text import is_text
from fjax.layers.features.data_layer import is_traced
from fjax.layers.text.vocabulary import VocabularyLayer
from fjax.typing import Array, Key, Params, State


class TextLayer(VocabularyLayer):
    """Base of layers that a model applies to text on the host, before its compiled program.

    A subclass defines `encode` and `encoded_spec`. Its pair takes text, outside of compiled
    programs, and passes on numbers, for these are what `encode` made.
    """

    takes_text: ClassVar[bool] = True

    @property
    def on_host(self) -> bool:
        """Whether a model that begins with the layer is to `encode` its text on the host."""
        return not self.invert

    def encode(self, texts: Any) -> np.ndarray:
        """Return the numbers of texts, batch axis first."""
        raise NotImplementedError

    def encoded_spec(self, shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
        """Return the shape and dtype of what `encode` makes of texts of this shape.

        An axis whose size depends on the texts has a size that differs with that of the batch axis.
        """
        raise NotImplementedError

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the numbers of text; numbers, which a model has made of it, as they are."""
        values = single_input(type(self).__name__, inputs)
        if not is_text(values):
            return jnp.asarray(values), state
        if is_traced(values):
            spec = self.encoded_spec(values.shape)
            return jnp.zeros(spec.shape, spec.dtype), state
        return jnp.asarray(self.encode(values)), state

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the numbers of text, or of a symbolic tensor of it."""
        for value in inputs:
            symbolic = hasattr(value, "__call_layer__")
            if value.dtype != "string" if symbolic else not (is_text(value) or is_traced(value)):
                raise self._no_text(value)
        return super().__call__(*inputs, training=training, **options)

    def _no_text(self, value: Any) -> TypeError:
        what = f"{value.dtype} of shape {value.shape}" if hasattr(value, "dtype") else repr(value)
        return TypeError(
            f"`{type(self).__name__}` takes text, received {what}. For numbers there are "
            "`IntegerLookup`, `CategoryEncoding` and `Discretization`."
        )
