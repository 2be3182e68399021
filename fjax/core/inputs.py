"""The declared input of a model: its shape and dtype."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.core.layer import Layer, normalise_shape, only
from fjax.core.text import text_spec
from fjax.errors import integer_at_least
from fjax.typing import Array, Key, Params, Spec, State


class InputLayer(Layer):
    """The declaration of an input: inputs are held against the shape, and cast to the dtype.

    Args:
        shape: The shape of one sample, without the batch axis; None for an axis of any size.
        batch_size: The size of the batch axis, where it is fixed.
        dtype: What inputs are cast to (so that images may stay bytes), by default float32; or
            "string", for text, which a model's layer on text turns into numbers on the host.

    Raises:
        ValueError: The shape or dtype is none, or inputs do not have the declared shape.

    Source: Keras's page "Input object".

    >>> import jax.numpy as jnp
    >>> outputs, _ = InputLayer((2,)).apply({}, {}, jnp.zeros((3, 2), "uint8"))
    >>> outputs.dtype.name
    'float32'
    """

    shape: tuple[int | None, ...] = ()
    batch_size: int | None = None
    dtype: str | None = "float32"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.shape = normalise_shape("InputLayer", "shape", self.shape)
        if self.batch_size is not None:
            self.batch_size = integer_at_least("InputLayer", "batch_size", self.batch_size, 1)
        if self.dtype in ("string", "str", str):
            self.dtype = "string"
            return
        try:
            self.dtype = jnp.dtype(self.dtype or "float32").name
        except TypeError:
            raise ValueError(
                f"`InputLayer`: `dtype` must be the name of a number type such as 'float32', "
                f"received {self.dtype!r}."
            ) from None

    @property
    def takes_text(self) -> bool:
        """Whether text is declared."""
        return self.dtype == "string"

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Check the spec against the declaration; there are no weights."""
        if self.dtype != "string":
            self._check(only("InputLayer", specs).shape)
        return {}, {}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs in the declared dtype."""
        values = only("InputLayer", inputs)
        if self.dtype == "string":
            # Text, or the numbers that a model has made of it.
            return values, state
        self._check(values.shape)
        return jnp.asarray(values).astype(self.dtype), state

    def spec(self, batch_size: int) -> jax.ShapeDtypeStruct:
        """Return the declared input for a batch of this size, which axes of any size have, too."""
        sizes = (batch_size if size is None else size for size in self.shape)
        shape = (self.batch_size or batch_size, *sizes)
        if self.dtype == "string":
            return text_spec(shape)
        return jax.ShapeDtypeStruct(shape, self.dtype)

    def _check(self, shape: tuple[int, ...]) -> None:
        declared = (self.batch_size, *self.shape)
        if len(shape) != len(declared) or any(
            expected not in (None, size) for expected, size in zip(declared, shape, strict=True)
        ):
            raise ValueError(
                f"The declared input has shape {declared}, received {tuple(shape)}: one sample "
                f"must have shape {self.shape}."
            )
