"""Dropout of entries and of whole channels, in training only."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax.configuration import field, is_nonzero
from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.errors import is_integer, number_between, seed_of
from fjax.layers.spatial import check_rank, resolve_data_format
from fjax.typing import Array, Key, Params, Shape, State


class Dropout(Layer):
    """Set a random fraction of the inputs to zero in training, and scale the others to match.

    Args:
        rate: The fraction of the inputs to drop (not to keep), in [0, 1].
        noise_shape: The shape of the random mask, which is broadcast to the inputs: 1 for an axis
            along which entries are dropped together, None for the size of the inputs.
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: any, unchanged.

    Raises:
        ValueError: `rate` is outside [0, 1], or a training call had no key.

    Source: Srivastava et al., "Dropout", JMLR 15 (2014); Keras's page "Dropout layer".

    >>> import jax, jax.numpy as jnp
    >>> inputs = jnp.ones(1000)
    >>> outputs, _ = Dropout(0.5).apply({}, {}, inputs, key=jax.random.key(0), training=True)
    >>> sorted(set(outputs.tolist()))
    [0.0, 2.0]
    """

    rows_independent = True
    masking = "keeps"

    traceable_fields = frozenset({"rate"})

    rate: float
    noise_shape: tuple[int | None, ...] | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rate = number_between("Dropout", "rate", self.rate, 0.0, 1.0)
        if self.noise_shape is not None:
            self.noise_shape = _parse_noise_shape(self.noise_shape)
        if self.seed is not None:
            self.seed = seed_of("Dropout", self.seed)

    @property
    def entrywise(self) -> bool:
        """Whether each entry is dropped independently."""
        return self.noise_shape is None

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs; in training a fraction of them is dropped."""
        values = single_input("Dropout", inputs)
        if not training or not is_nonzero(self.rate):
            return values, state
        drawn = require_key("Dropout", key, self.seed)
        shape = resolve_noise_shape("Dropout", self.noise_shape, values.shape)
        return apply_dropout(values, self.rate, drawn, shape), state


class SpatialDropout(Layer):
    """Base class of the dropouts of whole channels; `rank` is the number of spatial axes."""

    rows_independent = True
    masking = "keeps"

    traceable_fields = frozenset({"rate"})

    rank: ClassVar[int]

    rate: float
    data_format: str | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        self.rate = number_between(owner, "rate", self.rate, 0.0, 1.0)
        self.data_format = resolve_data_format(owner, self.data_format)
        if self.seed is not None:
            self.seed = seed_of(owner, self.seed)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs; in training a fraction of the channels is dropped."""
        owner = type(self).__name__
        values = single_input(owner, inputs)
        check_rank(owner, values.shape, self.rank, self.data_format)
        if not training or not is_nonzero(self.rate):
            return values, state
        drawn = require_key(owner, key, self.seed)
        channel_axis = 1 if self.data_format == "channels_first" else values.ndim - 1
        noise_shape = tuple(
            size if axis in (0, channel_axis) else 1 for axis, size in enumerate(values.shape)
        )
        return apply_dropout(values, self.rate, drawn, noise_shape), state


class SpatialDropout1D(SpatialDropout):
    """Set a random fraction of the channels of sequences to zero in training; scale the others.

    Neighboring steps are often similar, so that `Dropout` of single entries removes little
    information.

    Args:
        rate: The fraction of channels to drop, in [0, 1].
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, time, channels)`, unchanged.

    Raises:
        ValueError: `rate` is outside [0, 1], the inputs do not have 3 axes, or a training call had
            no key.

    Source: Tompson et al., "Efficient Object Localization Using Convolutional Networks" (2015),
    https://arxiv.org/abs/1411.4280; Keras's page "SpatialDropout1D layer".

    >>> import jax, jax.numpy as jnp
    >>> inputs, key = jnp.ones((1, 3, 100)), jax.random.key(0)
    >>> outputs, _ = SpatialDropout1D(0.5).apply({}, {}, inputs, key=key, training=True)
    >>> bool((outputs == outputs[:, :1]).all()), sorted(set(outputs.ravel().tolist()))
    (True, [0.0, 2.0])
    """

    rank = 1

    data_format: str | None = field(default=None, init=False, repr=False)


class SpatialDropout2D(SpatialDropout):
    """Set a random fraction of the channels of images to zero in training; scale the others.

    Args:
        rate: The fraction of channels to drop, in [0, 1].
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, channels)`, or with channels first; unchanged.

    Raises:
        ValueError: As for `SpatialDropout1D`, for inputs of 4 axes.

    Source: Tompson et al. (2015), https://arxiv.org/abs/1411.4280; Keras's page "SpatialDropout2D
    layer".

    >>> import jax, jax.numpy as jnp
    >>> inputs, key = jnp.ones((1, 2, 2, 100)), jax.random.key(0)
    >>> outputs, _ = SpatialDropout2D(0.5).apply({}, {}, inputs, key=key, training=True)
    >>> bool((outputs == outputs[:, :1, :1]).all())
    True
    """

    rank = 2


class SpatialDropout3D(SpatialDropout):
    """Set a random fraction of the channels of volumes to zero in training; scale the others.

    Arguments, errors and source as for `SpatialDropout2D`, for inputs of 5 axes.

    Shapes: `(batch, depth, height, width, channels)`, or with channels first; unchanged.

    >>> import jax, jax.numpy as jnp
    >>> inputs, key = jnp.ones((1, 2, 2, 2, 100)), jax.random.key(0)
    >>> outputs, _ = SpatialDropout3D(0.5).apply({}, {}, inputs, key=key, training=True)
    >>> bool((outputs == outputs[:, :1, :1, :1]).all())
    True
    """

    rank = 3


def require_key(owner: str, key: Key | None, seed: int | None) -> Key:
    """Return the PRNG key of a layer in training, with its seed folded in; raise if it is None."""
    if key is None:
        raise ValueError(
            f"`{owner}` draws random numbers in training and needs a key: "
            "`layer.apply(params, state, inputs, key=jax.random.key(0), training=True)`."
        )
    return key if seed is None else jax.random.fold_in(key, seed)


def apply_dropout(values: Array, rate: float, key: Key, shape: Shape) -> Array:
    """Return values with a random fraction set to zero and the others scaled by `1 / (1 - rate)`.

    Args:
        values: The values.
        rate: The fraction to drop.
        key: A PRNG key.
        shape: The shape of the random mask, which is broadcast to the values.
    """
    if isinstance(rate, float) and rate == 1.0:
        return jnp.zeros_like(values)
    keep = 1.0 - rate
    return jnp.where(jax.random.bernoulli(key, keep, shape), values / keep, jnp.zeros_like(values))


def apply_dropout_to_width(values: Array, rate: Any, key: Key, width: Any) -> Array:
    """Apply `apply_dropout` to the first `width` entries of the last axis; the others become zero.

    The random mask equals that of an array of this width. The width may be traced.

    >>> key, values = jax.random.key(0), jnp.ones((4, 3))
    >>> wide = apply_dropout_to_width(jnp.ones((4, 5)), 0.5, key, jnp.int32(3))
    >>> narrow = apply_dropout(values, 0.5, key, values.shape)
    >>> bool((wide[:, :3] == narrow).all()), float(wide[0, 4])
    (True, 0.0)
    """
    padded_width, keep = values.shape[-1], 1.0 - rate
    draws = jax.random.uniform(key, (values.size,))
    # The flat index of each entry in the narrow array selects its random number.
    row_start = jnp.arange(values.size // padded_width)[:, None] * width
    column = jnp.arange(padded_width)
    kept = (draws[row_start + column] < keep).reshape(values.shape) & (column < width)
    return jnp.where(kept, values / keep, jnp.zeros_like(values))


def resolve_noise_shape(
    owner: str, noise_shape: tuple[int | None, ...] | None, shape: Shape
) -> Shape:
    """Return the shape of the random mask for inputs of a shape, or raise if it does not fit.

    >>> resolve_noise_shape("Dropout", (None, 1, 3), (32, 5, 3))
    (32, 1, 3)
    """
    if noise_shape is None:
        return shape
    pairs = zip(noise_shape, shape, strict=False)
    sizes = tuple(size if noise_size is None else noise_size for noise_size, size in pairs)
    # As in Keras, a shorter shape is broadcast from the last axis.
    fits = all(
        noise_size in (1, size) for noise_size, size in zip(sizes[::-1], shape[::-1], strict=False)
    )
    if len(noise_shape) > len(shape) or not fits:
        raise ValueError(
            f"`{owner}`: `noise_shape` {noise_shape} does not fit inputs of shape {shape}: "
            "expected 1, None or the size of the inputs for each axis."
        )
    return sizes


def _parse_noise_shape(noise_shape: Any) -> tuple[int | None, ...]:
    """Return the argument as a tuple of positive integers and None, or raise."""
    if not isinstance(noise_shape, list | tuple) or not all(
        size is None or (is_integer(size) and size > 0) for size in noise_shape
    ):
        raise ValueError(
            "`Dropout`: `noise_shape` must be a list of positive integers and None, received "
            f"{noise_shape!r}."
        )
    return tuple(None if size is None else int(size) for size in noise_shape)
