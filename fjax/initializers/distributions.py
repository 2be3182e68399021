"""Random initializers whose distribution does not depend on the shape."""

import jax

from fjax.errors import number_between
from fjax.initializers.initializer import (
    Initializer,
    check_seed,
    finite_number,
    key_to_use,
    resolve_shape,
)
from fjax.typing import Array, DType, Key, Shape


class RandomNormal(Initializer):
    """Draw from a normal distribution.

    Args:
        mean: The mean.
        stddev: The standard deviation, at least 0.
        seed: An integer for reproducible values; None uses the key.

    >>> print(RandomNormal(stddev=0.0, mean=0.5)((2,)))
    [0.5 0.5]
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        self.mean = finite_number(self, "mean", self.mean)
        self.stddev = number_between(type(self).__name__, "stddev", self.stddev, 0.0)
        self.seed = check_seed(self, self.seed)

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return random values."""
        shape, dtype = resolve_shape(self, shape, dtype, floating=True)
        return jax.random.normal(key_to_use(self.seed, key), shape, dtype) * self.stddev + self.mean


class TruncatedNormal(Initializer):
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

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        self.mean = finite_number(self, "mean", self.mean)
        self.stddev = number_between(type(self).__name__, "stddev", self.stddev, 0.0)
        self.seed = check_seed(self, self.seed)

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return random values."""
        shape, dtype = resolve_shape(self, shape, dtype, floating=True)
        values = jax.random.truncated_normal(key_to_use(self.seed, key), -2.0, 2.0, shape, dtype)
        return values * self.stddev + self.mean


class RandomUniform(Initializer):
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
        self.minval = finite_number(self, "minval", self.minval)
        self.maxval = finite_number(self, "maxval", self.maxval)
        self.seed = check_seed(self, self.seed)
        if self.maxval < self.minval:
            raise ValueError(
                f"`RandomUniform`: `maxval` must not be below `minval`, received maxval="
                f"{self.maxval} and minval={self.minval}."
            )

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return random values."""
        shape, dtype = resolve_shape(self, shape, dtype, floating=True)
        return jax.random.uniform(
            key_to_use(self.seed, key), shape, dtype, self.minval, self.maxval
        )
