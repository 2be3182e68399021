"""Initializers whose variance depends on the weight's number of inputs and outputs."""

import math
from collections.abc import Sequence
from dataclasses import field

import jax
import numpy as np

from fjax.errors import number_between, one_of
from fjax.initializers.initializer import RandomInitializer, check_axes
from fjax.typing import Array, Key, Shape

# The standard deviation of a standard normal distribution that is truncated at -2 and 2.
TRUNCATED_STDDEV = 0.87962566103423978


class VarianceScaling(RandomInitializer):
    """Draw from a distribution of mean 0 and variance `scale / n`, where `n` depends on the shape.

    Args:
        scale: A factor above 0.
        mode: What `n` is: the number of inputs of each output ("fan_in"), the number of outputs of
            each input ("fan_out"), or the mean of both ("fan_avg"); see `compute_fans`.
        distribution: "truncated_normal" or "normal" (truncated at two standard deviations, with
            the variance above after the truncation), "untruncated_normal" or "uniform".
        seed: An integer for reproducible values; None uses the key.
        input_axes: The axes of the weight that are inputs; must be given with `output_axes`.
        output_axes: The axes that are outputs. If both are None, `compute_fans` infers them from
            the shape.

    Raises:
        ValueError: `scale` is not positive, `mode` or `distribution` is unknown, or only one of
            `input_axes` and `output_axes` is given.

    >>> print(VarianceScaling(scale=2.0, mode="fan_out")((3, 4)).shape)
    (3, 4)
    >>> VarianceScaling(mode="fan_inn")
    Traceback (most recent call last):
        ...
    ValueError: `VarianceScaling`: `mode` must be one of 'fan_in', 'fan_out', 'fan_avg',
    received 'fan_inn'. Did you mean `fan_in`?
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: int | None = None
    input_axes: Sequence[int] | None = None
    output_axes: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        name = type(self).__name__
        distribution = self.distribution.lower() if isinstance(self.distribution, str) else None
        if distribution == "normal":
            distribution = "truncated_normal"
        known = ["truncated_normal", "untruncated_normal", "uniform"]
        if distribution not in known:
            one_of(name, "distribution", self.distribution, known)
        if (self.input_axes is None) != (self.output_axes is None):
            raise ValueError(
                f"`{name}`: `input_axes` and `output_axes` must be given together, received "
                f"{self.input_axes!r} and {self.output_axes!r}."
            )
        self.scale = number_between(name, "scale", self.scale, 0.0, open_low=True)
        self.mode = one_of(name, "mode", self.mode, ["fan_in", "fan_out", "fan_avg"])
        self.distribution = distribution
        self.input_axes = check_axes(name, "input_axes", self.input_axes)
        self.output_axes = check_axes(name, "output_axes", self.output_axes)

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError if the shape lacks an axis of `input_axes` or `output_axes`."""
        compute_fans(shape, self.input_axes, self.output_axes)

    def sample(self, key: Key, shape: Shape, dtype: np.dtype) -> Array:
        """Return random values."""
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        variance = self.scale / max(1.0, fans[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return jax.random.uniform(key, shape, dtype, -limit, limit)
        if self.distribution == "untruncated_normal":
            return jax.random.normal(key, shape, dtype) * math.sqrt(variance)
        stddev = math.sqrt(variance) / TRUNCATED_STDDEV
        return jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype) * stddev


class GlorotUniform(VarianceScaling):
    """Draw uniformly between ±`sqrt(6 / (fan_in + fan_out))`; the default of most layers.

    From Glorot & Bengio, 2010 (https://proceedings.mlr.press/v9/glorot10a.html). The arguments
    `seed`, `input_axes` and `output_axes` are those of `VarianceScaling`.

    >>> values = GlorotUniform()((2, 4), key=jax.random.key(1))
    >>> bool(abs(values).max() <= 1.0)
    True
    """

    scale: float = field(default=1.0, init=False)
    mode: str = field(default="fan_avg", init=False)
    distribution: str = field(default="uniform", init=False)


class GlorotNormal(VarianceScaling):
    """Draw from a truncated normal distribution of variance `2 / (fan_in + fan_out)`.

    From Glorot & Bengio, 2010 (https://proceedings.mlr.press/v9/glorot10a.html). The arguments
    `seed`, `input_axes` and `output_axes` are those of `VarianceScaling`.

    >>> GlorotNormal(seed=1)
    GlorotNormal(seed=1)
    """

    scale: float = field(default=1.0, init=False)
    mode: str = field(default="fan_avg", init=False)
    distribution: str = field(default="truncated_normal", init=False)


class HeUniform(VarianceScaling):
    """Draw uniformly between ±`sqrt(6 / fan_in)`; for layers with `relu`.

    From He et al., 2015 (https://arxiv.org/abs/1502.01852). The arguments `seed`, `input_axes` and
    `output_axes` are those of `VarianceScaling`.

    >>> HeUniform().get_config()
    {'seed': None, 'input_axes': None, 'output_axes': None}
    """

    scale: float = field(default=2.0, init=False)
    mode: str = field(default="fan_in", init=False)
    distribution: str = field(default="uniform", init=False)


class HeNormal(VarianceScaling):
    """Draw from a truncated normal distribution of variance `2 / fan_in`; for layers with `relu`.

    From He et al., 2015 (https://arxiv.org/abs/1502.01852). The arguments `seed`, `input_axes` and
    `output_axes` are those of `VarianceScaling`.

    >>> HeNormal()((3, 4)).shape
    (3, 4)
    """

    scale: float = field(default=2.0, init=False)
    mode: str = field(default="fan_in", init=False)
    distribution: str = field(default="truncated_normal", init=False)


class LecunUniform(VarianceScaling):
    """Draw uniformly between ±`sqrt(3 / fan_in)`.

    From LeCun et al., 1998, "Efficient BackProp". The arguments `seed`, `input_axes` and
    `output_axes` are those of `VarianceScaling`.

    >>> LecunUniform()((3, 4)).shape
    (3, 4)
    """

    scale: float = field(default=1.0, init=False)
    mode: str = field(default="fan_in", init=False)
    distribution: str = field(default="uniform", init=False)


class LecunNormal(VarianceScaling):
    """Draw from a truncated normal distribution of variance `1 / fan_in`; for layers with `selu`.

    From LeCun et al., 1998, "Efficient BackProp". The arguments `seed`, `input_axes` and
    `output_axes` are those of `VarianceScaling`.

    >>> LecunNormal()((3, 4)).shape
    (3, 4)
    """

    scale: float = field(default=1.0, init=False)
    mode: str = field(default="fan_in", init=False)
    distribution: str = field(default="truncated_normal", init=False)


def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return the number of inputs of each output of a weight, and of outputs of each input.

    Args:
        shape: The weight's shape: `(inputs, outputs)` for a matrix, `(*window, inputs, outputs)`
            for a convolution kernel, whose window multiplies both numbers, `(inputs,)` for a
            vector, whose outputs are its inputs.
        input_axes: The axes that are inputs, if the shape has another meaning.
        output_axes: The axes that are outputs; needed with `input_axes`.

    Raises:
        ValueError: The shape has no such axis.

    >>> compute_fans((5, 7)), compute_fans((3, 3, 8, 16)), compute_fans((5, 2, 4), [0], [1, 2])
    ((5, 7), (72, 144), (5, 8))
    """
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        for axis in (*input_axes, *output_axes):
            if not -len(shape) <= axis < len(shape):
                raise ValueError(
                    f"`compute_fans`: a weight of shape {shape} has no axis {axis}; received the "
                    f"axes {tuple(input_axes)} for inputs and {tuple(output_axes)} for outputs."
                )
        return (
            math.prod(shape[axis] for axis in input_axes),
            math.prod(shape[axis] for axis in output_axes),
        )
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]
