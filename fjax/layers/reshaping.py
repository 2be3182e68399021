"""Layers that move no number, only the axes."""

import math
from typing import Any

import jax.numpy as jnp

from fjax.core.layer import Layer, only
from fjax.errors import is_integer, one_of
from fjax.typing import Array, Key, Params, State


class Flatten(Layer):
    """Make one axis of all but the batch axis.

    Args:
        data_format: "channels_last" (default) or "channels_first", whose channels are first moved
            to the end, so that both give the same order.

    Shapes: `(batch, …)` to `(batch, size)`; `(batch,)` to `(batch, 1)`.

    Source: Keras's page "Flatten layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Flatten().apply({}, {}, jnp.zeros((32, 28, 28)))
    >>> outputs.shape
    (32, 784)
    """

    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed = [None, "channels_last", "channels_first"]
        one_of("Flatten", "data_format", self.data_format, allowed)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs with one axis behind the batch axis."""
        values = only("Flatten", inputs)
        if values.ndim == 0:
            raise ValueError("`Flatten` needs inputs of shape (batch, …), received a scalar.")
        if self.data_format == "channels_first" and values.ndim > 2:
            values = jnp.moveaxis(values, 1, -1)
        return jnp.reshape(values, (values.shape[0], math.prod(values.shape[1:]))), state


class Reshape(Layer):
    """Give each sample another shape of the same size.

    Args:
        target_shape: The shape without the batch axis; one axis may be -1, for what is left.

    Shapes: `(batch, …)` to `(batch, *target_shape)`.

    Raises:
        ValueError: The sizes do not match.

    Source: Keras's page "Reshape layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Reshape((2, -1)).apply({}, {}, jnp.zeros((32, 6)))
    >>> outputs.shape
    (32, 2, 3)
    """

    target_shape: tuple[int, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = self.target_shape
        shape = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
        positive = all(is_integer(size) and (size > 0 or size == -1) for size in shape)
        if not positive or shape.count(-1) > 1:
            raise ValueError(
                "`Reshape`: `target_shape` must be positive integers, at most one of them -1, "
                f"received {self.target_shape!r}."
            )
        self.target_shape = shape

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs in the new shape."""
        values = only("Reshape", inputs)
        sample = tuple(values.shape[1:])
        size, known = math.prod(sample), math.prod(s for s in self.target_shape if s != -1)
        if size % known if -1 in self.target_shape else size != known:
            raise ValueError(
                f"`Reshape` cannot make {self.target_shape} of samples of shape {sample}: "
                f"{size} values do not fill {known}."
            )
        return jnp.reshape(values, (values.shape[0], *self.target_shape)), state
