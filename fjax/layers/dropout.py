"""Dropout of single entries, and of whole feature maps: noise that is there in training only."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax.configuration import field, is_nonzero
from fjax.core.checks import only
from fjax.core.layer import Layer
from fjax.errors import number_between, seed_of
from fjax.layers.spatial import check_rank, checked_format
from fjax.typing import Array, Key, Params, Shape, State


class Dropout(Layer):
    """Set a random share of the inputs to zero in training, and scale up the others to match.

    Args:
        rate: The share that is dropped (not the share that is kept), in [0, 1].
        noise_shape: The shape of the mask where some axes share one draw: an axis of size 1 is
            shared, None stands for the input's own size.
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

    _varying = frozenset({"rate"})

    rate: float
    noise_shape: tuple[int | None, ...] | None = None
    seed: int | None = None

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rate = number_between("Dropout", "rate", self.rate, 0.0, 1.0)
        if self.noise_shape is not None:
            self.noise_shape = tuple(self.noise_shape)
        if self.seed is not None:
            self.seed = seed_of("Dropout", self.seed)

    @property
    def entrywise(self) -> bool:
        """Whether each entry is drawn for itself."""
        return self.noise_shape is None

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs, in training with a share of them dropped."""
        values = only("Dropout", inputs)
        if not training or not is_nonzero(self.rate):
            return values, state
        drawn = drawing_key("Dropout", key, self.seed)
        shape = shape_of_noise("Dropout", self.noise_shape, values.shape)
        return dropped(values, self.rate, drawn, shape), state


class SpatialDropout(Layer):
    """Base of the dropouts of whole feature maps: what is drawn for a channel counts all over it.

    A subclass says by `axes` how many axes its inputs have between batch and channels.
    """

    rows_independent = True

    _varying = frozenset({"rate"})

    axes: ClassVar[int]

    rate: float
    data_format: str | None = None
    seed: int | None = None

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        self.rate = number_between(owner, "rate", self.rate, 0.0, 1.0)
        self.data_format = checked_format(owner, self.data_format)
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
        """Return the inputs, in training with a share of the channels dropped."""
        owner = type(self).__name__
        values = only(owner, inputs)
        check_rank(owner, values.shape, self.axes, self.data_format)
        if not training or not is_nonzero(self.rate):
            return values, state
        drawn = drawing_key(owner, key, self.seed)
        channels = 1 if self.data_format == "channels_first" else values.ndim - 1
        shape = tuple(n if place in (0, channels) else 1 for place, n in enumerate(values.shape))
        return dropped(values, self.rate, drawn, shape), state


class SpatialDropout1D(SpatialDropout):
    """Set a random share of the channels of sequences to zero in training, and scale up the others.

    Neighbours in time tell the same, so that `Dropout` of single entries would drop little.

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

    axes = 1

    data_format: str | None = field(default=None, init=False, repr=False)


class SpatialDropout2D(SpatialDropout):
    """Set a random share of the channels of images to zero in training, and scale up the others.

    Args:
        rate: The fraction of channels to drop, in [0, 1].
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, channels)`, or with the channels first; unchanged.

    Raises:
        ValueError: As of `SpatialDropout1D`, for inputs of 4 axes.

    Source: Tompson et al. (2015), https://arxiv.org/abs/1411.4280; Keras's page "SpatialDropout2D
    layer".

    >>> import jax, jax.numpy as jnp
    >>> inputs, key = jnp.ones((1, 2, 2, 100)), jax.random.key(0)
    >>> outputs, _ = SpatialDropout2D(0.5).apply({}, {}, inputs, key=key, training=True)
    >>> bool((outputs == outputs[:, :1, :1]).all())
    True
    """

    axes = 2


class SpatialDropout3D(SpatialDropout):
    """Set a random share of the channels of volumes to zero in training, and scale up the others.

    Arguments, errors and source as `SpatialDropout2D`, for inputs of 5 axes.

    Shapes: `(batch, depth, height, width, channels)`, or with the channels first; unchanged.

    >>> import jax, jax.numpy as jnp
    >>> inputs, key = jnp.ones((1, 2, 2, 2, 100)), jax.random.key(0)
    >>> outputs, _ = SpatialDropout3D(0.5).apply({}, {}, inputs, key=key, training=True)
    >>> bool((outputs == outputs[:, :1, :1, :1]).all())
    True
    """

    axes = 3


def drawing_key(owner: str, key: Key | None, seed: int | None) -> Key:
    """Return the key that a layer draws from in training, or raise: it must be given one."""
    if key is None:
        raise ValueError(
            f"`{owner}` draws in training and needs a key: "
            "`layer.apply(params, state, inputs, key=jax.random.key(0), training=True)`."
        )
    return key if seed is None else jax.random.fold_in(key, seed)


def dropped(values: Array, rate: float, key: Key, shape: Shape) -> Array:
    """Return values with a share of them zero and the others scaled up, by a draw of this shape."""
    if isinstance(rate, float) and rate == 1.0:
        return jnp.zeros_like(values)
    keep = 1.0 - rate
    return jnp.where(jax.random.bernoulli(key, keep, shape), values / keep, jnp.zeros_like(values))


def dropped_in_narrow(values: Array, rate: Any, key: Key, width: Any) -> Array:
    """Return what `dropped` makes of the first `width` entries of the last axis; zeros beyond.

    The width may be traced: the draw is that of the narrow array, whose numbers come from the
    counters of its entries.

    >>> key, values = jax.random.key(0), jnp.ones((4, 3))
    >>> wide = dropped_in_narrow(jnp.ones((4, 5)), 0.5, key, jnp.int32(3))
    >>> bool((wide[:, :3] == dropped(values, 0.5, key, values.shape)).all()), float(wide[0, 4])
    (True, 0.0)
    """
    padded, keep = values.shape[-1], 1.0 - rate
    draws = jax.random.uniform(key, (values.size,))
    row = jnp.arange(values.size // padded)[:, None] * width
    column = jnp.arange(padded)
    kept = (draws[row + column] < keep).reshape(values.shape) & (column < width)
    return jnp.where(kept, values / keep, jnp.zeros_like(values))


def shape_of_noise(owner: str, noise_shape: tuple[int | None, ...] | None, shape: Shape) -> Shape:
    """Return the shape of a draw for inputs of a shape, or raise where the two do not fit.

    >>> shape_of_noise("Dropout", (None, 1, 3), (32, 5, 3))
    (32, 1, 3)
    """
    if noise_shape is None:
        return shape
    if len(noise_shape) != len(shape) or any(
        size not in (None, 1, axis) for size, axis in zip(noise_shape, shape, strict=True)
    ):
        raise ValueError(
            f"`{owner}`: `noise_shape` {noise_shape} does not fit inputs of {shape}: "
            "expected for each axis 1, None or the input's size."
        )
    pairs = zip(noise_shape, shape, strict=True)
    return tuple(axis if size is None else size for size, axis in pairs)
