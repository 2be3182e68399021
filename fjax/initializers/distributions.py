"""Random initializers whose distribution does not depend on the shape."""

import jax
import numpy as np

from fjax.errors import number_between
from fjax.initializers.initializer import RandomInitializer, finite_number
from fjax.typing import Array, Key, Shape


class _NormalInitializer(RandomInitializer):
    """Base class of the initializers that draw from a normal distribution."""

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.mean = finite_number(self, "mean", self.mean)
        self.stddev = number_between(type(self).__name__, "stddev", self.stddev, 0.0)


class RandomNormal(_NormalInitializer):
    """Draw from a normal distribution.

    Args:
        mean: The mean.
        stddev: The standard deviation, at least 0.
        seed: An integer for reproducible values; None uses the key.

    >>> print(RandomNormal(stddev=0.0, mean=0.5)((2,)))
    [0.5 0.5]
    """

    def sample(self, key: Key, shape: Shape, dtype: np.dtype) -> Array:
        """Return random values."""
        return jax.random.normal(key, shape, dtype) * self.stddev + self.mean


class TruncatedNormal(_NormalInitializer):
    """Draw from a normal distribution truncated at two standard deviations from the mean.

    Args:
        mean: The mean.
        stddev: The standard deviation before the truncation, at least 0. As in Keras, that of the
            values is 0.8796 times as large. (`VarianceScaling` corrects for this.)
        seed: An integer for reproducible values; None uses the key.

    >>> values = TruncatedNormal(stddev=1.0)((1000,), key=jax.random.key(1))
    >>> bool(abs(values).max() <= 2.0)
    True
    """

    def sample(self, key: Key, shape: Shape, dtype: np.dtype) -> Array:
        """Return random values."""
        values = jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)
        return values * self.stddev + self.mean


class RandomUniform(RandomInitializer):
    """Draw from a uniform distribution over [`minval`, `maxval`).

    Args:
        minval: The lower bound.
        maxval: The upper bound, at least `minval`.
        seed: An integer for reproducible values; None uses the key.

    >>> values = RandomUniform(0.0, 1.0)((1000,), key=jax.random.key(1))
    >>> bool((values >= 0.0).all() and (values < 1.0).all())
    True
    """

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.minval = finite_number(self, "minval", self.minval)
        self.maxval = finite_number(self, "maxval", self.maxval)
        if self.maxval < self.minval:
            raise ValueError(
                f"`RandomUniform`: `maxval` must not be below `minval`, received maxval="
                f"{self.maxval} and minval={self.minval}."
            )

    def sample(self, key: Key, shape: Shape, dtype: np.dtype) -> Array:
        """Return random values."""
        return jax.random.uniform(key, shape, dtype, self.minval, self.maxval)
