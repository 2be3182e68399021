"""Dropout of entries and of whole channels, in training only."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.configuration import field
from fjax.errors import number_between
from fjax.layers.random_layer import RandomLayer, resolve_noise_shape
from fjax.layers.spatial import SpatialLayer
from fjax.lowering.random_numbers import bernoulli
from fjax.typing import Array, Key, Shape


class Dropout(RandomLayer):
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

    traceable_fields = frozenset({"rate"})

    rate: float
    noise_shape: tuple[int | None, ...] | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rate = number_between(self.kind, "rate", self.rate, 0.0, 1.0)

    @property
    def entrywise(self) -> bool:
        """Whether each entry is dropped independently."""
        return self.noise_shape is None

    def perturb(self, values: Array, key: Key) -> Array:
        """Return the values with a fraction dropped."""
        shape = resolve_noise_shape(self.kind, self.noise_shape, values.shape)
        return apply_dropout(values, self.rate, key, shape)


class SpatialDropout(RandomLayer, SpatialLayer):
    """Base class of the dropouts of whole channels; `rank` is the number of spatial axes."""

    fields_beyond_keras = frozenset({"trainable", "autocast"})
    traceable_fields = frozenset({"rate"})

    rate: float
    data_format: str | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rate = number_between(self.kind, "rate", self.rate, 0.0, 1.0)

    def perturb(self, values: Array, key: Key) -> Array:
        """Return the values with a fraction of the channels dropped."""
        channel_axis = 1 if self.data_format == "channels_first" else values.ndim - 1
        noise_shape = tuple(
            size if axis in (0, channel_axis) else 1 for axis, size in enumerate(values.shape)
        )
        return apply_dropout(values, self.rate, key, noise_shape)


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
    return jnp.where(bernoulli(key, keep, shape), values / keep, jnp.zeros_like(values))


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
