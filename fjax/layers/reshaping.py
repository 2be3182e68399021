"""Layers that change the shape of their inputs: flatten, reshape, permute, repeat."""

import math

import jax.numpy as jnp

from fjax.core.placeholders import known_sizes
from fjax.errors import integer_at_least, is_integer, one_of
from fjax.layers.array_layer import ArrayLayer
from fjax.typing import Array, Params


class Flatten(ArrayLayer):
    """Flatten each sample to one axis.

    Args:
        data_format: "channels_last" (default) or "channels_first", where channels are first moved
            to the last axis, so that both give the same order.

    Shapes: `(batch, …)` to `(batch, size)`; `(batch,)` to `(batch, 1)`.

    Source: Keras's page "Flatten layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Flatten().apply({}, {}, jnp.zeros((32, 28, 28)))
    >>> outputs.shape
    (32, 784)
    """

    rows_independent = True

    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed = [None, "channels_last", "channels_first"]
        one_of("Flatten", "data_format", self.data_format, allowed)

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the flattened samples."""
        if values.ndim == 0:
            raise ValueError("`Flatten` needs inputs of shape (batch, …), received a scalar.")
        if self.data_format == "channels_first" and values.ndim > 2:
            values = jnp.moveaxis(values, 1, -1)
        return jnp.reshape(values, (values.shape[0], math.prod(values.shape[1:])))


class Reshape(ArrayLayer):
    """Reshape each sample.

    Args:
        target_shape: The new shape without the batch axis; one axis may be -1, whose size is then
            inferred.

    Shapes: `(batch, …)` to `(batch, *target_shape)`.

    Raises:
        ValueError: The shapes have different numbers of entries.

    Source: Keras's page "Reshape layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Reshape((2, -1)).apply({}, {}, jnp.zeros((32, 6)))
    >>> outputs.shape
    (32, 2, 3)
    """

    rows_independent = True

    target_shape: tuple[int, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = self.target_shape
        shape = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
        valid = all(is_integer(size) and (size > 0 or size == -1) for size in shape)
        if not valid or shape.count(-1) > 1:
            raise ValueError(
                "`Reshape`: `target_shape` must be positive integers, at most one of them -1, "
                f"received {self.target_shape!r}."
            )
        self.target_shape = shape

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the inputs in the new shape."""
        sample = tuple(values.shape[1:])
        size, known = math.prod(sample), math.prod(s for s in self.target_shape if s != -1)
        if None in known_sizes(values.shape)[1:]:
            # Axes of any size fit every target.
            inferred = -(-size // known)
            sizes = (inferred if each == -1 else each for each in self.target_shape)
            return jnp.zeros((values.shape[0], *sizes), values.dtype)
        if size % known if -1 in self.target_shape else size != known:
            raise ValueError(
                f"`Reshape` cannot reshape samples of shape {sample} to {self.target_shape}: "
                f"{size} entries do not fit {known}."
            )
        return jnp.reshape(values, (values.shape[0], *self.target_shape))


class Permute(ArrayLayer):
    """Permute the axes of each sample.

    Args:
        dims: The axes in their new order, counted from 1; the batch axis 0 stays first.

    Shapes: `(batch, …)`, with the axes in the new order.

    Raises:
        ValueError: `dims` is not a permutation of the axes from 1 on, or the inputs have another
            number of axes.

    Source: Keras's page "Permute layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Permute((2, 1)).apply({}, {}, jnp.zeros((32, 10, 64)))
    >>> outputs.shape
    (32, 64, 10)
    """

    rows_independent = True

    dims: tuple[int, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        dims = tuple(self.dims) if isinstance(self.dims, list | tuple) else (self.dims,)
        are_integers = bool(dims) and all(map(is_integer, dims))
        if not are_integers or sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(
                "`Permute`: `dims` must be the numbers from 1 to the number of axes of a sample, "
                f"each once, received {self.dims!r}."
            )
        self.dims = tuple(int(axis) for axis in dims)

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the inputs with permuted axes."""
        if values.ndim != len(self.dims) + 1:
            raise ValueError(
                f"`Permute` with `dims` {self.dims} needs inputs of {len(self.dims) + 1} axes, "
                f"received {tuple(values.shape)}."
            )
        return jnp.transpose(values, (0, *self.dims))


class RepeatVector(ArrayLayer):
    """Repeat each sample along a new time axis.

    Args:
        n: The number of repetitions.

    Shapes: `(batch, features)` to `(batch, n, features)`.

    Raises:
        ValueError: `n` is not positive, or the inputs do not have 2 axes.

    Source: Keras's page "RepeatVector layer".

    >>> import jax.numpy as jnp
    >>> RepeatVector(2).apply({}, {}, jnp.array([[1.0, 3.0]]))[0].tolist()
    [[[1.0, 3.0], [1.0, 3.0]]]
    """

    rows_independent = True

    n: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self.n = integer_at_least("RepeatVector", "n", self.n, 1)

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the inputs, repeated `n` times."""
        if values.ndim != 2:
            raise ValueError(
                "`RepeatVector` needs inputs of shape (batch, features), received "
                f"{tuple(values.shape)}."
            )
        batch, features = values.shape
        return jnp.broadcast_to(values[:, None, :], (batch, self.n, features))
