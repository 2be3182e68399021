"""Layers that turn signals into spectrograms."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.errors import integer_at_least, number_between, one_of
from fjax.initializers import STFT
from fjax.layers.array_layer import ArrayLayer
from fjax.layers.spatial import resolve_data_format
from fjax.lowering import convolution
from fjax.lowering.spectral import short_time_fourier
from fjax.typing import Array, Key, Params, Shape

# The mel scale of the Hidden Markov Model Toolkit: 1127 ln(1 + f / 700).
_MEL_FACTOR, _MEL_BREAK = 1127.0, 700.0

# Keeps roots and logarithms finite, as in Keras.
_EPSILON = 1e-7

_MODES = ["log", "magnitude", "psd", "real", "imag", "angle", "stft"]


class MelSpectrogram(ArrayLayer):
    """Turn signals into spectrograms on the mel scale.

    The powers of the short-time Fourier transform are summed in triangular bands, whose centers are
    equally spaced on the mel scale, in which equal distances sound equal.

    Args:
        fft_length: The length of a transform.
        sequence_stride: The distance of two sequences.
        sequence_length: The length of a sequence, by default `fft_length`.
        window: "hann", "hamming" or None.
        sampling_rate: Samples per second.
        num_mel_bins: The number of bands.
        min_freq: The lower end of the lowest band, in Hertz.
        max_freq: The upper end of the highest band; by default half of `sampling_rate`.
        power_to_db: Whether the outputs are in decibels.
        top_db: The range of decibels: smaller ones are raised to the maximum of the batch minus it.
        mag_exp: The exponent of the magnitudes: 1 for energies, 2 for powers.
        min_power: The smallest power in decibels.
        ref_power: The power of 0 decibels.

    Shapes: `(…, samples)` to `(…, num_mel_bins, samples // sequence_stride + 1)`.

    Raises:
        ValueError: An argument is out of its range.

    Source: Davis and Mermelstein (1980); Keras's page "MelSpectrogram layer".

    >>> MelSpectrogram(fft_length=64, sequence_stride=32, num_mel_bins=8)(np.ones((2, 320))).shape
    (2, 8, 11)
    """

    fft_length: int = 2048
    sequence_stride: int = 512
    sequence_length: int | None = None
    window: str | None = "hann"
    sampling_rate: int = 16000
    num_mel_bins: int = 128
    min_freq: float = 20.0
    max_freq: float | None = None
    power_to_db: bool = True
    top_db: float = 80.0
    mag_exp: float = 2.0
    min_power: float = 1e-10
    ref_power: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("fft_length", "sequence_stride", "sampling_rate", "num_mel_bins"):
            setattr(self, name, integer_at_least(self.kind, name, getattr(self, name), 1))
        length = self.fft_length if self.sequence_length is None else self.sequence_length
        self.sequence_length = integer_at_least(self.kind, "sequence_length", length, 1)
        if self.sequence_length > self.fft_length:
            raise ValueError(
                f"`{self.kind}`: `fft_length` must be at least `sequence_length`, received "
                f"{self.fft_length} and {self.sequence_length}."
            )
        one_of(self.kind, "window", self.window, ["hann", "hamming", None])
        if self.max_freq is None:
            self.max_freq = self.sampling_rate // 2
        number_between(self.kind, "min_freq", self.min_freq, 0.0)
        number_between(self.kind, "max_freq", self.max_freq, self.min_freq, open_low=True)

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError if the signals are too short for the padding by reflection."""
        if not shape or shape[-1] <= self.fft_length // 2:
            raise ValueError(
                f"`{self.kind}` takes signals of more than {self.fft_length // 2} samples, half of "
                f"`fft_length`, on the last axis, received the shape {tuple(shape)}."
            )

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the spectrograms."""
        assert self.sequence_length is not None
        real, imaginary = short_time_fourier(
            self.kind, jnp.asarray(values, jnp.float32), self.sequence_length,
            self.sequence_stride, self.fft_length, self.window, center=True,
        )  # fmt: skip
        powers = jnp.sqrt(real**2 + imaginary**2) ** self.mag_exp
        bands = powers @ self._bands(powers.shape[-1])
        if self.power_to_db:
            reference = 10.0 * math.log10(max(abs(self.ref_power), self.min_power))
            bands = 10.0 * jnp.log10(jnp.maximum(bands, self.min_power)) - reference
            bands = jnp.maximum(bands, jnp.max(bands) - self.top_db)
        return jnp.swapaxes(bands, -1, -2)

    def _bands(self, bins: int) -> np.ndarray:
        """Return the share of each frequency in each band, `(bins, num_mel_bins)`, float32."""
        frequencies = _mel(np.linspace(0.0, self.sampling_rate / 2, bins))[1:, None]
        edges = np.linspace(_mel(self.min_freq), _mel(self.max_freq), self.num_mel_bins + 2)
        low, center, high = edges[:-2], edges[1:-1], edges[2:]
        rising, falling = (
            (frequencies - low) / (center - low),
            (high - frequencies) / (high - center),
        )
        shares = np.maximum(0.0, np.minimum(rising, falling))
        # The constant part of a signal, frequency 0, is in no band.
        return np.pad(shares, [(1, 0), (0, 0)]).astype(np.float32)


def _mel(frequency: Any) -> Any:
    return _MEL_FACTOR * np.log(1.0 + frequency / _MEL_BREAK)


class STFTSpectrogram(ArrayLayer):
    """Turn signals into spectrograms by convolutions whose kernels begin as Fourier transforms.

    The kernels are weights that training can change.

    Args:
        mode: "log", "magnitude" or "psd" (the power); "real", "imag" or "angle" of the transform;
            "stft" for its real and imaginary parts.
        frame_length: The length of a frame.
        frame_step: The distance of two frames, by default half of their length.
        fft_length: The length of the transform; by default the next power of 2 from `frame_length`.
        window: The name of a window in `scipy.signal.windows`, or None.
        periodic: Whether the window is periodic rather than symmetric.
        scaling: "density", "spectrum" or None; see `fjax.initializers.STFT`.
        padding: "valid" or "same".
        expand_dims: Whether the frequencies have an axis of their own.
        data_format: "channels_last" or "channels_first".

    Shapes: `(batch, time, channels)` to `(batch, frames, channels * frequencies)`, with
    `expand_dims` to `(batch, frames, frequencies, channels)`; `(batch, channels, time)` to
    `(batch, channels * frequencies, frames)` or `(batch, channels, frames, frequencies)`.

    Raises:
        ValueError: An argument is out of its range, or the inputs do not have 3 axes.

    Source: Keras's page "STFTSpectrogram layer".

    >>> STFTSpectrogram("magnitude", 8, window=None)(np.ones((2, 32, 1))).shape
    (2, 7, 5)
    """

    rows_independent = True

    mode: str = "log"
    frame_length: int = 256
    frame_step: int | None = None
    fft_length: int | None = None
    window: str | None = "hann"
    periodic: bool = False
    scaling: str | None = "density"
    padding: str = "valid"
    expand_dims: bool = False
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self.kind, "mode", self.mode, _MODES)
        one_of(self.kind, "padding", self.padding, ["valid", "same"])
        self.data_format = resolve_data_format(self.kind, self.data_format)
        length = integer_at_least(self.kind, "frame_length", self.frame_length, 2)
        if self.frame_step is not None:
            integer_at_least(self.kind, "frame_step", self.frame_step, 1)
        if (self.frame_step or 1) > length:
            raise ValueError(
                f"`{self.kind}`: `frame_step` must be at most `frame_length`, received "
                f"{self.frame_step} and {length}."
            )
        if self.fft_length is not None:
            integer_at_least(self.kind, "fft_length", self.fft_length, length)
        for side in ("real", "imag"):
            STFT(side, self.window, self.scaling, self.periodic)

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError if the inputs do not have 3 axes."""
        if len(shape) != 3:
            raise ValueError(
                f"`{self.kind}` takes inputs of 3 axes, (batch, time, channels), received the "
                f"shape {tuple(shape)}."
            )

    def draw_params(self, key: Key, shape: Shape) -> Params:
        """Return the kernels of the transform."""
        size = self.fft_length or 2 ** math.ceil(math.log2(self.frame_length))
        sides = [side for side in ("real", "imag") if self.mode not in ({"real", "imag"} - {side})]
        return {
            f"{side}_kernel": STFT(side, self.window, self.scaling, self.periodic)(
                (self.frame_length, 1, size // 2 + 1), jnp.float32
            )
            for side in sides
        }

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the spectrograms."""
        if not jnp.issubdtype(values.dtype, jnp.floating):
            raise TypeError(
                f"`{self.kind}` takes floating-point numbers, received {values.dtype}: convert "
                "them, as by `x.astype('float32')`."
            )
        if self.data_format == "channels_last":
            values = jnp.swapaxes(values, 1, 2)
        parts = [self._transform(values, params[name]) for name in sorted(params, reverse=True)]
        return self._arrange(self._combine(*parts))

    def _transform(self, values: Array, kernel: Array) -> Array:
        """Return a part of the transform, `(batch, channels, frames, frequencies)`."""
        batch, channels, time = values.shape
        parts = convolution(
            values.reshape(batch * channels, time, 1), kernel.astype(values.dtype),
            strides=(self.frame_step or self.frame_length // 2,), padding=self.padding,
            dilation=(1,),
        )  # fmt: skip
        return parts.reshape(batch, channels, *parts.shape[1:])

    def _combine(self, real: Array, imaginary: Array | None = None) -> Array:
        if imaginary is None:
            return real
        if self.mode == "angle":
            return jnp.arctan2(imaginary, real)
        if self.mode == "stft":
            return jnp.concatenate([real, imaginary], axis=-1)
        power = real**2 + imaginary**2
        if self.mode == "psd":
            # All frequencies but the first and the last one stand for two.
            return power.at[..., 1:-1].multiply(2.0)
        magnitude = jnp.sqrt(jnp.maximum(power, _EPSILON))
        if self.mode == "magnitude":
            return magnitude
        return jnp.log(jnp.maximum(magnitude, _EPSILON))

    def _arrange(self, spectrum: Array) -> Array:
        """Return the axes in their order, from `(batch, channels, frames, frequencies)`."""
        if self.expand_dims:
            last = self.data_format == "channels_last"
            return jnp.transpose(spectrum, (0, 2, 3, 1)) if last else spectrum
        batch, channels, frames, frequencies = spectrum.shape
        joined = jnp.swapaxes(spectrum, 2, 3).reshape(batch, channels * frequencies, frames)
        return jnp.swapaxes(joined, 1, 2) if self.data_format == "channels_last" else joined
