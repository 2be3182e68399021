"""Initializers that draw from one distribution, whatever the shape."""

import jax

from fjax.errors import number_between
from fjax.initializers.initializer import (
    Initializer,
    any_number,
    checked_seed,
    resolve_shape,
    source,
)
from fjax.typing import Array, DType, Key, Shape


class RandomNormal(Initializer):
    """Normal numbers.

    Args:
        mean: Their mean.
        stddev: Their standard deviation, not negative.
        seed: An integer that fixes the draw; None draws from the key.

    >>> print(RandomNormal(stddev=0.0, mean=0.5)((2,)))
    [0.5 0.5]
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        self.mean = any_number(self, "mean", self.mean)
        self.stddev = number_between(type(self).__name__, "stddev", self.stddev, 0.0)
        self.seed = checked_seed(self, self.seed)

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return a draw."""
        shape, dtype = resolve_shape(self, shape, dtype, floating=True)
        return jax.random.normal(source(self.seed, key), shape, dtype) * self.stddev + self.mean


class TruncatedNormal(Initializer):
    """Normal numbers; those farther than `2 * stddev` from the mean are drawn again.

    Args:
        mean: Their mean.
        stddev: The standard deviation before that cut, not negative; after it, it is 0.8796 times
            as large, as in Keras. (`VarianceScaling` makes up for the cut.)
        seed: An integer that fixes the draw; None draws from the key.

    >>> values = TruncatedNormal(stddev=1.0)((1000,), key=jax.random.key(1))
    >>> bool(abs(values).max() <= 2.0)
    True
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        self.mean = any_number(self, "mean", self.mean)
        self.stddev = number_between(type(self).__name__, "stddev", self.stddev, 0.0)
        self.seed = checked_seed(self, self.seed)

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return a draw."""
        shape, dtype = resolve_shape(self, shape, dtype, floating=True)
        draws = jax.random.truncated_normal(source(self.seed, key), -2.0, 2.0, shape, dtype)
        return draws * self.stddev + self.mean


class RandomUniform(Initializer):
    """Numbers from `minval` up to, not including, `maxval`, all equally likely.

    Args:
        minval: The lower end.
        maxval: The upper end, not below the lower.
        seed: An integer that fixes the draw; None draws from the key.

    >>> values = RandomUniform(0.0, 1.0)((1000,), key=jax.random.key(1))
    >>> bool((values >= 0.0).all() and (values < 1.0).all())
    True
    """

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        self.minval = any_number(self, "minval", self.minval)
        self.maxval = any_number(self, "maxval", self.maxval)
        self.seed = checked_seed(self, self.seed)
        if self.maxval < self.minval:
            raise ValueError(
                f"`RandomUniform`: `maxval` must not be below `minval`, received {self.maxval} "
                f"and {self.minval}."
            )

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return a draw."""
        shape, dtype = resolve_shape(self, shape, dtype, floating=True)
        return jax.random.uniform(source(self.seed, key), shape, dtype, self.minval, self.maxval)
