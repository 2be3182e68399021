"""Initializers: how a weight begins, with Keras's names and arguments.

    values = initializer(shape, dtype, key=key)

`dtype` None is float32. A random initializer draws from its `seed` when that is set, whatever `key`
is (and then draws what Keras draws from that seed); otherwise from `key`; and without either from
the key of seed 0. So the values are a function of what is written, and two draws from one key are
equal.

A layer calls `draw`, which takes an initializer of this module, one of `jax.nn.initializers`, or
any function of a shape and a dtype.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.configuration import Configured
from fjax.errors import is_integer, is_number, number_between, one_of
from fjax.registry import Registry
from fjax.typing import Array, DType, Identifier, Key, Shape

# The standard deviation of a standard normal distribution that is cut off at -2 and 2.
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer(Configured):
    """Base of the initializers; a subclass lists its fields and defines `__call__`.

    >>> class Countdown(Initializer):
    ...     start: float = 3.0
    ...
    ...     def __call__(self, shape, dtype=None, *, key=None):
    ...         return self.start - jnp.arange(math.prod(shape), dtype=dtype).reshape(shape)
    >>> print(Countdown()((3,)))
    [3. 2. 1.]
    """

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return the values of a weight.

        Args:
            shape: The weight's shape.
            dtype: Its element type; None is float32.
            key: What to draw from; an initializer that draws nothing ignores it.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must define `__call__(self, shape, dtype=None, *, key=None)`."
        )


class Constant(Initializer):
    """Every entry is `value`, one number.

    Raises:
        ValueError: `value` is not one number, or not a whole one where an integer dtype is asked.

    >>> print(Constant(2.5)((2,)))
    [2.5 2.5]
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        value = self.value.item() if isinstance(self.value, np.generic) else self.value
        if not isinstance(value, bool | int | float):
            raise ValueError(
                f"`Constant`: `value` must be one number, received {_short(value)}. For an array "
                "of values, give a function `f(shape, dtype)` that returns it."
            )
        _set(self, value=value)

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return an array filled with the value."""
        shape, dtype = _settled(self, shape, dtype)
        if jnp.issubdtype(dtype, jnp.integer) and not float(self.value).is_integer():
            raise ValueError(
                f"`{self!r}` cannot fill an array of {dtype.name}: not a whole number."
            )
        return jnp.full(shape, self.value, dtype)


class Zeros(Initializer):
    """Every entry is 0.

    >>> print(Zeros()((2,), "int32"))
    [0 0]
    """

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return an array of zeros."""
        return jnp.zeros(*_settled(self, shape, dtype))


class Ones(Initializer):
    """Every entry is 1.

    >>> print(Ones()((2,)))
    [1. 1.]
    """

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return an array of ones."""
        return jnp.ones(*_settled(self, shape, dtype))


class Identity(Initializer):
    """`gain` on the main diagonal of a matrix, 0 elsewhere.

    Raises:
        ValueError: The shape asked for is not that of a matrix.

    >>> print(Identity(2.0)((2, 3)))
    [[2. 0. 0.]
     [0. 2. 0.]]
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        _set(self, gain=_any_number(self, "gain", self.gain))

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return the scaled identity matrix."""
        shape, dtype = _settled(self, shape, dtype, floating=True)
        if len(shape) != 2:
            raise ValueError(f"`Identity` makes matrices only: the shape {shape} has no two axes.")
        return self.gain * jnp.eye(*shape, dtype=dtype)


class STFT(Initializer):
    """A convolution kernel that computes one half of a short-time Fourier transform.

    The kernel has shape `(frame_length, 1, bins)`, of a transform of length `2 * (bins - 1)`.

    Args:
        side: "real" for the cosines, "imag" for the sines.
        window: The name of a window in `scipy.signal.windows`, its values, or None for none.
        scaling: Divide by the window's L2 norm ("density"), its L1 norm ("spectrum") or nothing.
        periodic: Whether a named window is periodic rather than symmetric.

    Raises:
        ValueError: An argument is none of these, or the shape asked for is not of that form.

    >>> print(STFT("real", window=None)((4, 1, 2)).reshape(4, 2).round())
    [[ 1.  1.]
     [ 1. -1.]
     [ 1.  1.]
     [ 1. -1.]]
    """

    side: str = "real"
    window: str | Sequence[float] | None = "hann"
    scaling: str | None = "density"
    periodic: bool = False

    def __post_init__(self) -> None:
        one_of("STFT", "side", self.side, ["real", "imag"])
        one_of("STFT", "scaling", self.scaling, ["density", "spectrum", None])
        one_of("STFT", "periodic", self.periodic, [False, True])
        if isinstance(self.window, str):
            self._window_values(1)
        elif self.window is not None:
            values = np.asarray(self.window)
            if values.ndim != 1 or not np.issubdtype(values.dtype, np.number):
                raise ValueError(
                    "`STFT`: `window` must be the name of a window, a list of numbers or None, "
                    f"received {_short(self.window)}."
                )
            _set(self, window=tuple(values.tolist()))

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return the kernel."""
        shape, dtype = _settled(self, shape, dtype, floating=True)
        if len(shape) != 3 or shape[1] != 1 or shape[2] < 2:
            raise ValueError(
                "`STFT` makes kernels of shape (frame_length, 1, bins) with at least 2 bins, "
                f"received {shape}."
            )
        frame_length, _, bins = shape
        # Whole turns are taken off in integers: float32 angles lose digits over a long frame.
        turns = np.outer(np.arange(frame_length), np.arange(bins)) % (2 * (bins - 1))
        angles = -np.pi * turns / (bins - 1)
        kernel = np.cos(angles) if self.side == "real" else np.sin(angles)
        if self.window is not None:
            window = self._window_values(frame_length)
            norms = {"density": 2, "spectrum": 1}
            norm = np.linalg.norm(window, norms[self.scaling]) if self.scaling else 1.0
            kernel = kernel * window[:, np.newaxis] / norm
        return jnp.asarray(kernel[:, np.newaxis, :], dtype)

    def _window_values(self, frame_length: int) -> np.ndarray:
        if isinstance(self.window, str):
            # Loaded here: few programs make this kernel. JAX itself requires SciPy.
            from scipy.signal import get_window  # type: ignore[import-untyped]

            try:
                return get_window(self.window, frame_length, fftbins=self.periodic)
            except ValueError as error:
                raise ValueError(f"`STFT`: `window` {self.window!r}: {error}") from None
        values = np.asarray(self.window)
        if len(values) != frame_length:
            raise ValueError(
                f"`STFT`: `window` has {len(values)} values and the frame asked for "
                f"{frame_length}; they must agree."
            )
        return values


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
        _set(
            self,
            mean=_any_number(self, "mean", self.mean),
            stddev=number_between(type(self).__name__, "stddev", self.stddev, 0.0),
            seed=_checked_seed(self, self.seed),
        )

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return a draw."""
        shape, dtype = _settled(self, shape, dtype, floating=True)
        return jax.random.normal(_source(self.seed, key), shape, dtype) * self.stddev + self.mean


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
        _set(
            self,
            mean=_any_number(self, "mean", self.mean),
            stddev=number_between(type(self).__name__, "stddev", self.stddev, 0.0),
            seed=_checked_seed(self, self.seed),
        )

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return a draw."""
        shape, dtype = _settled(self, shape, dtype, floating=True)
        draws = jax.random.truncated_normal(_source(self.seed, key), -2.0, 2.0, shape, dtype)
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
        _set(
            self,
            minval=_any_number(self, "minval", self.minval),
            maxval=_any_number(self, "maxval", self.maxval),
            seed=_checked_seed(self, self.seed),
        )
        if self.maxval < self.minval:
            raise ValueError(
                f"`RandomUniform`: `maxval` must not be below `minval`, received {self.maxval} "
                f"and {self.minval}."
            )

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return a draw."""
        shape, dtype = _settled(self, shape, dtype, floating=True)
        return jax.random.uniform(_source(self.seed, key), shape, dtype, self.minval, self.maxval)


class VarianceScaling(Initializer):
    """Random numbers of mean 0 and variance `scale / n`, by the weight's own shape.

    Args:
        scale: Positive factor.
        mode: What `n` counts: the inputs that meet in one output ("fan_in"), the outputs that one
            input reaches ("fan_out"), or their average ("fan_avg"); see `compute_fans`.
        distribution: "truncated_normal" (also "normal"; the variance is that after the cut at two
            standard deviations), "untruncated_normal" or "uniform".
        seed: An integer that fixes the draw; None draws from the key.
        input_axes: Axes of the weight that count as inputs, together with
        output_axes: those that count as outputs; None goes by the shape alone.

    Raises:
        ValueError: `scale` is not positive, a word is misspelt, or only one of the axes is given.

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
        name = type(self).__name__
        spelt = self.distribution.lower() if isinstance(self.distribution, str) else None
        known = ["truncated_normal", "untruncated_normal", "uniform"]
        distribution = "truncated_normal" if spelt == "normal" else spelt
        if distribution not in known:
            one_of(name, "distribution", self.distribution, known)
        if (self.input_axes is None) != (self.output_axes is None):
            raise ValueError(
                f"`{name}`: `input_axes` and `output_axes` must be given together, received "
                f"{self.input_axes!r} and {self.output_axes!r}."
            )
        _set(
            self,
            scale=number_between(name, "scale", self.scale, 0.0, open_low=True),
            mode=one_of(name, "mode", self.mode, ["fan_in", "fan_out", "fan_avg"]),
            distribution=distribution,
            seed=_checked_seed(self, self.seed),
            input_axes=_checked_axes(name, "input_axes", self.input_axes),
            output_axes=_checked_axes(name, "output_axes", self.output_axes),
        )

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return a draw."""
        shape, dtype = _settled(self, shape, dtype, floating=True)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        variance = self.scale / max(1.0, fans[self.mode])
        source = _source(self.seed, key)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return jax.random.uniform(source, shape, dtype, -limit, limit)
        if self.distribution == "untruncated_normal":
            return jax.random.normal(source, shape, dtype) * math.sqrt(variance)
        stddev = math.sqrt(variance) / _TRUNCATED_STDDEV
        return jax.random.truncated_normal(source, -2.0, 2.0, shape, dtype) * stddev


class GlorotUniform(VarianceScaling):
    """Uniform numbers within `sqrt(6 / (fan_in + fan_out))` of 0; what most layers begin with.

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
    """Truncated normal numbers of variance `2 / (fan_in + fan_out)`.

    From Glorot & Bengio, 2010 (https://proceedings.mlr.press/v9/glorot10a.html). The arguments
    `seed`, `input_axes` and `output_axes` are those of `VarianceScaling`.

    >>> GlorotNormal(seed=1)
    GlorotNormal(seed=1)
    """

    scale: float = field(default=1.0, init=False)
    mode: str = field(default="fan_avg", init=False)
    distribution: str = field(default="truncated_normal", init=False)


class HeUniform(VarianceScaling):
    """Uniform numbers within `sqrt(6 / fan_in)` of 0, made for layers followed by relu.

    From He et al., 2015 (https://arxiv.org/abs/1502.01852). The arguments `seed`, `input_axes` and
    `output_axes` are those of `VarianceScaling`.

    >>> HeUniform().get_config()
    {'seed': None, 'input_axes': None, 'output_axes': None}
    """

    scale: float = field(default=2.0, init=False)
    mode: str = field(default="fan_in", init=False)
    distribution: str = field(default="uniform", init=False)


class HeNormal(VarianceScaling):
    """Truncated normal numbers of variance `2 / fan_in`, made for layers followed by relu.

    From He et al., 2015 (https://arxiv.org/abs/1502.01852). The arguments `seed`, `input_axes` and
    `output_axes` are those of `VarianceScaling`.

    >>> HeNormal()((3, 4)).shape
    (3, 4)
    """

    scale: float = field(default=2.0, init=False)
    mode: str = field(default="fan_in", init=False)
    distribution: str = field(default="truncated_normal", init=False)


class LecunUniform(VarianceScaling):
    """Uniform numbers within `sqrt(3 / fan_in)` of 0.

    From LeCun et al., 1998, "Efficient BackProp". The arguments `seed`, `input_axes` and
    `output_axes` are those of `VarianceScaling`.

    >>> LecunUniform()((3, 4)).shape
    (3, 4)
    """

    scale: float = field(default=1.0, init=False)
    mode: str = field(default="fan_in", init=False)
    distribution: str = field(default="uniform", init=False)


class LecunNormal(VarianceScaling):
    """Truncated normal numbers of variance `1 / fan_in`, made for layers followed by selu.

    From LeCun et al., 1998, "Efficient BackProp". The arguments `seed`, `input_axes` and
    `output_axes` are those of `VarianceScaling`.

    >>> LecunNormal()((3, 4)).shape
    (3, 4)
    """

    scale: float = field(default=1.0, init=False)
    mode: str = field(default="fan_in", init=False)
    distribution: str = field(default="truncated_normal", init=False)


class Orthogonal(Initializer):
    """A random orthogonal matrix, times `gain`.

    All axes but the last are taken as one. The columns of the matrix are orthonormal where it is
    at least as high as wide, the rows otherwise; every rotation is equally likely (Saxe et al.,
    2014, https://arxiv.org/abs/1312.6120).

    Args:
        gain: Factor.
        seed: An integer that fixes the draw; None draws from the key.

    Raises:
        ValueError: The shape asked for has fewer than two axes.

    >>> matrix = Orthogonal()((4, 4), key=jax.random.key(1))
    >>> bool(jnp.allclose(matrix.T @ matrix, jnp.eye(4), atol=1e-5))
    True
    """

    gain: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        _set(
            self,
            gain=_any_number(self, "gain", self.gain),
            seed=_checked_seed(self, self.seed),
        )

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return a draw."""
        shape, dtype = _settled(self, shape, dtype, floating=True)
        if len(shape) < 2:
            raise ValueError(f"`Orthogonal` needs a shape of at least two axes, received {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        # The decomposition has no half precision form.
        working = jnp.promote_types(dtype, jnp.float32)
        tall = (max(rows, columns), min(rows, columns))
        normal = jax.random.normal(_source(self.seed, key), tall, working)
        matrix, triangle = jnp.linalg.qr(normal)
        # With the triangle's diagonal made positive the decomposition is unique, the draw unbiased.
        matrix = matrix * jnp.where(jnp.diagonal(triangle) < 0, -1.0, 1.0).astype(working)
        if rows < columns:
            matrix = matrix.T
        return (self.gain * matrix.reshape(shape)).astype(dtype)


def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return how many inputs meet in one output of a weight, and how many outputs meet one input.

    A matrix is `(inputs, outputs)`, a convolution kernel `(*window, inputs, outputs)` where each
    place of the window counts, a vector is both. `input_axes` and `output_axes`, given together,
    say otherwise.

    >>> compute_fans((5, 7)), compute_fans((3, 3, 8, 16)), compute_fans((5, 2, 4), [0], [1, 2])
    ((5, 7), (72, 144), (5, 8))
    """
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        for axis in (*input_axes, *output_axes):
            if not -len(shape) <= axis < len(shape):
                raise ValueError(
                    f"`compute_fans`: axis {axis} is none of a weight of shape {shape}; the axes "
                    f"given are {tuple(input_axes)} for inputs, {tuple(output_axes)} for outputs."
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


def draw(
    initializer: Callable[..., Any], key: Key | None, shape: Shape, dtype: DType = jnp.float32
) -> Array:
    """Return the values that an initializer gives a weight; every layer calls this.

    Args:
        initializer: An initializer of this module or of `jax.nn.initializers`, called with the
            keywords `key`, `shape` and `dtype`; or a function without a parameter `key`, called as
            Keras does, `initializer(shape, dtype=dtype)`.
        key: What to draw from.
        shape: The weight's shape.
        dtype: The weight's floating type. A function may return another number type: its result
            is converted, as in Keras.

    Raises:
        TypeError: The function cannot be called so, or its result cannot be of that type.
        ValueError: The result has another shape.

    >>> print(draw(jax.nn.initializers.ones, jax.random.key(0), (2,)))
    [1. 1.]
    >>> draw(lambda shape, dtype=None: np.ones((2, 3)), None, (2,))
    Traceback (most recent call last):
        ...
    ValueError: The initializer `<lambda>` returned the shape (2, 3) for a weight of shape (2,).
    """
    try:
        signature = inspect.signature(initializer)
    except ValueError:  # Some functions written in C have none.
        values = initializer(shape, dtype=dtype)
    else:
        parameters = signature.parameters.values()
        if any(p.name == "key" or p.kind is p.VAR_KEYWORD for p in parameters):
            positional: tuple[Any, ...] = ()
            keywords = {"key": key, "shape": shape, "dtype": dtype}
        else:
            positional, keywords = (shape,), {"dtype": dtype}
        try:
            signature.bind(*positional, **keywords)
        except TypeError as error:
            raise TypeError(
                f"The initializer `{_name(initializer)}{signature}` cannot be called: {error}. "
                "Expected the parameters `(key, shape, dtype)` or `(shape, dtype=None)`."
            ) from None
        values = initializer(*positional, **keywords)
    dtype = jnp.dtype(dtype)
    if not isinstance(values, jax.Array):
        values = np.asarray(values)
    if values.dtype != dtype and not _holds(dtype, values.dtype):
        raise TypeError(
            f"The initializer `{_name(initializer)}` returned {values.dtype.name} for a weight of "
            f"{dtype.name}, which cannot hold it. Let it heed its argument `dtype`."
        )
    if values.shape != tuple(shape):
        raise ValueError(
            f"The initializer `{_name(initializer)}` returned the shape {values.shape} for a "
            f"weight of shape {tuple(shape)}."
        )
    return jnp.asarray(values, dtype)


IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
STFTInitializer = STFT
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

_registry = Registry(
    "initializer",
    [
        Constant,
        GlorotNormal,
        GlorotUniform,
        HeNormal,
        HeUniform,
        Identity,
        LecunNormal,
        LecunUniform,
        Ones,
        Orthogonal,
        RandomNormal,
        RandomUniform,
        STFT,
        TruncatedNormal,
        VarianceScaling,
        Zeros,
    ],
    {
        "IdentityInitializer": Identity,
        "OrthogonalInitializer": Orthogonal,
        "STFTInitializer": STFT,
        "normal": RandomNormal,
        "one": Ones,
        "uniform": RandomUniform,
        "zero": Zeros,
    },
)


def get(identifier: Identifier) -> Callable[..., Any]:
    """Return the initializer that an identifier means.

    Args:
        identifier: A name, a class, `{"class_name": …, "config": …}`, an initializer, or a function
            as `draw` calls it.

    Raises:
        ValueError: The name is unknown; the nearest known one is suggested.
        TypeError: The identifier is none of these.

    >>> get("he_normal"), get("HeNormal") == get(HeNormal)
    (HeNormal(), True)
    """
    if isinstance(identifier, jax.Array | np.ndarray):
        raise TypeError(
            f"An array of shape {identifier.shape} is no initializer: a layer's configuration "
            "holds no arrays. Give a function `f(shape, dtype)` that returns it."
        )
    return _registry.get(identifier)


def _settled(
    initializer: Initializer, shape: Any, dtype: DType, *, floating: bool = False
) -> tuple[Shape, np.dtype]:
    """Return a weight's shape and dtype as plain values, or raise for what cannot be one."""
    name = type(initializer).__name__
    if not isinstance(shape, tuple | list) or not all(is_integer(d) and d >= 0 for d in shape):
        raise ValueError(
            f"`{name}`: a weight's shape must be a tuple of whole numbers, received {shape!r}."
        )
    dtype = jnp.dtype(jnp.float32 if dtype is None else dtype)
    if floating and not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(f"`{name}` makes floating numbers only, asked for {dtype.name}.")
    return tuple(int(d) for d in shape), dtype


def _source(seed: int | None, key: Key | None) -> Key:
    if seed is None and key is not None:
        return key
    # The words of Keras's key: the same seed draws the same numbers there and here.
    words = jnp.array([seed or 0, 0], jnp.uint32)
    return jax.random.wrap_key_data(words, impl="threefry2x32")


def _checked_seed(initializer: Initializer, seed: Any) -> int | None:
    # JAX would take a larger seed modulo 2**32 without a word.
    if seed is None or (is_integer(seed) and 0 <= seed < 2**32):
        return None if seed is None else int(seed)
    raise ValueError(
        f"`{type(initializer).__name__}`: `seed` must be None or an integer from 0 to 2**32 - 1, "
        f"received {seed!r}."
    )


def _checked_axes(owner: str, argument: str, axes: Any) -> tuple[int, ...] | None:
    if axes is None:
        return None
    if not isinstance(axes, list | tuple) or not all(is_integer(axis) for axis in axes):
        raise ValueError(f"`{owner}`: `{argument}` must be a list of integers, received {axes!r}.")
    return tuple(int(axis) for axis in axes)


def _any_number(initializer: Initializer, argument: str, value: Any) -> float:
    if not is_number(value):
        raise ValueError(
            f"`{type(initializer).__name__}`: `{argument}` must be one finite number, "
            f"received {_short(value)}."
        )
    return float(value)


def _set(initializer: Initializer, **values: Any) -> None:
    # `__post_init__` may still normalise the fields; to a type checker they are read-only.
    for name, value in values.items():
        object.__setattr__(initializer, name, value)


def _short(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"an array of shape {shape}" if shape is not None else repr(value)


def _holds(dtype: np.dtype, given: np.dtype) -> bool:
    """Tell whether a weight's dtype can hold another kind of number but for its rounding."""
    if jnp.issubdtype(given, jnp.complexfloating):
        return jnp.issubdtype(dtype, jnp.complexfloating)
    return jnp.issubdtype(dtype, jnp.inexact)


def _name(initializer: Any) -> str:
    return getattr(initializer, "__name__", None) or repr(initializer)
