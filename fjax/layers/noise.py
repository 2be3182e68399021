"""Gaussian noise, Gaussian dropout and alpha dropout, in training only."""

from typing import Any

import jax.numpy as jnp

from fjax.errors import number_between
from fjax.layers.random_layer import RandomLayer, resolve_noise_shape
from fjax.lowering.random_numbers import bernoulli, normal
from fjax.typing import Array, Key

# The value of dropped entries: the lower limit of `selu`, minus scale times alpha.
SELU_LIMIT = -1.6732632423543772 * 1.0507009873554805


class GaussianNoise(RandomLayer):
    """Add normally distributed noise of mean 0 in training.

    Args:
        stddev: The standard deviation of the noise, not negative. Unlike in Keras it may exceed 1,
            for data of a larger scale.
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: any, unchanged.

    Raises:
        ValueError: `stddev` is negative, or a training call had no key.

    Source: Keras's page "GaussianNoise layer".

    >>> import jax, jax.numpy as jnp
    >>> inputs, key = jnp.ones(10000), jax.random.key(0)
    >>> outputs, _ = GaussianNoise(0.5).apply({}, {}, inputs, key=key, training=True)
    >>> round(outputs.mean().item(), 1), round(outputs.std().item(), 1)
    (1.0, 0.5)
    """

    traceable_fields = frozenset({"stddev"})
    strength_field = "stddev"

    stddev: float
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.stddev = number_between(self.kind, "stddev", self.stddev, 0.0)

    def perturb(self, values: Array, key: Key) -> Array:
        """Return the values with noise added."""
        noise = normal(key, values.shape, _noise_dtype(values))
        return values + self.stddev * noise


class GaussianDropout(RandomLayer):
    """Multiply by normal noise of mean 1 and variance `rate / (1 - rate)` in training.

    The mean and variance of the outputs equal those of `Dropout` with the same rate.

    Args:
        rate: The rate of the equivalent `Dropout`, in [0, 1); at 1 the variance would be infinite.
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: any, unchanged.

    Raises:
        ValueError: `rate` is outside [0, 1), or a training call had no key.

    Source: Srivastava et al., "Dropout", JMLR 15 (2014), section 10; Keras's page "GaussianDropout
    layer".

    >>> import jax, jax.numpy as jnp
    >>> inputs, key = jnp.ones(10000), jax.random.key(0)
    >>> outputs, _ = GaussianDropout(0.5).apply({}, {}, inputs, key=key, training=True)
    >>> round(outputs.mean().item(), 1), round(outputs.std().item(), 1)
    (1.0, 1.0)
    """

    traceable_fields = frozenset({"rate"})

    rate: float
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rate = number_between(self.kind, "rate", self.rate, 0.0, 1.0, open_high=True)

    def perturb(self, values: Array, key: Key) -> Array:
        """Return the values multiplied by noise."""
        noise = normal(key, values.shape, _noise_dtype(values))
        return values * (1.0 + (self.rate / (1.0 - self.rate)) ** 0.5 * noise)


class AlphaDropout(RandomLayer):
    """Dropout that keeps mean 0 and variance 1, for networks with `selu` activations.

    In training a random fraction of the entries is set to the lower limit of `selu`. All entries
    are then scaled and shifted so that inputs of mean 0 and variance 1 keep both.

    Args:
        rate: The fraction of the inputs to drop, in [0, 1).
        noise_shape: The shape of the random mask, as for `Dropout`.
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: any, unchanged.

    Raises:
        ValueError: `rate` is outside [0, 1), or a training call had no key.

    Source: Klambauer et al., "Self-Normalizing Neural Networks" (2017),
    https://arxiv.org/abs/1706.02515; Keras's page "AlphaDropout layer".

    >>> import jax
    >>> inputs = jax.random.normal(jax.random.key(1), (10000,))
    >>> layer = AlphaDropout(0.5)
    >>> outputs, _ = layer.apply({}, {}, inputs, key=jax.random.key(0), training=True)
    >>> round(abs(outputs.mean().item()), 1), round(outputs.std().item(), 1)
    (0.0, 1.0)
    """

    traceable_fields = frozenset({"rate"})

    rate: float
    noise_shape: tuple[int | None, ...] | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rate = number_between(self.kind, "rate", self.rate, 0.0, 1.0, open_high=True)

    def perturb(self, values: Array, key: Key) -> Array:
        """Return the values with a fraction dropped."""
        shape = resolve_noise_shape(self.kind, self.noise_shape, values.shape)
        kept = bernoulli(key, 1.0 - self.rate, shape)
        scale = ((1.0 - self.rate) * (1.0 + self.rate * SELU_LIMIT**2)) ** -0.5
        shift = -scale * SELU_LIMIT * self.rate
        return jnp.where(kept, values, SELU_LIMIT) * scale + shift


def _noise_dtype(values: Array) -> Any:
    """Return the dtype of the noise: that of the values, or float32 for integers."""
    return values.dtype if jnp.issubdtype(values.dtype, jnp.floating) else jnp.float32
