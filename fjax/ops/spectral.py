"""Operations of `keras.ops` on signals: Fourier transforms, and sequences cut from a signal.

Complex numbers are a pair of arrays, the real and the imaginary part.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.lowering.spectral import fourier_window, short_time_fourier
from fjax.ops.definition import OperationTable, as_tensor
from fjax.typing import Array

op = OperationTable(__name__)


@op.define
def fft(x: Any) -> tuple[Array, Array]:
    """Return the Fourier transform along the last axis."""
    return _parts(jnp.fft.fft(_complex("fft", x)))


@op.define
def fft2(x: Any) -> tuple[Array, Array]:
    """Return the Fourier transform along the last two axes."""
    return _parts(jnp.fft.fft2(_complex("fft2", x)))


@op.define
def ifft2(x: Any) -> tuple[Array, Array]:
    """Return the inverse Fourier transform along the last two axes."""
    return _parts(jnp.fft.ifft2(_complex("ifft2", x)))


@op.define
def rfft(x: Array, fft_length: int | None = None) -> tuple[Array, Array]:
    """Return the Fourier transform of real numbers along the last axis."""
    return _parts(jnp.fft.rfft(x, fft_length))


@op.define
def irfft(x: Any, fft_length: int | None = None) -> Array:
    """Return the real inverse of `rfft`."""
    return jnp.fft.irfft(_complex("irfft", x), fft_length)


@op.define
def extract_sequences(x: Array, sequence_length: int, sequence_stride: int) -> Array:
    """Return the sequences that begin at every `sequence_stride` along the last axis."""
    count = (x.shape[-1] - sequence_length) // sequence_stride + 1
    starts = np.arange(max(count, 0)) * sequence_stride
    return x[..., starts[:, None] + np.arange(sequence_length)]


@op.define
def stft(
    x: Array,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[Array, Array]:
    """Return the short-time Fourier transform along the last axis: `(…, sequences, frequencies)`.

    Args:
        x: The signal, float32.
        sequence_length: The length of a sequence.
        sequence_stride: The distance of two sequences.
        fft_length: The length of the transform, at least that of a sequence.
        window: "hann", "hamming", an array of the length of a sequence, or None.
        center: Whether the signal is padded by reflection, so that sequences are centered.

    Raises:
        TypeError: The signal is not made of floating-point numbers.
        ValueError: `fft_length` is less than `sequence_length`, or the window is unknown.
    """
    if x.dtype not in (jnp.float32, jnp.float64):
        raise TypeError(f"`stft`: `x` must be float32 or float64, received {x.dtype}.")
    return short_time_fourier(
        "stft", x, sequence_length, sequence_stride, fft_length, window, center
    )


@op.define
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Array:
    """Return the signal for a short-time Fourier transform: the inverse of `stft`.

    Args:
        x: The real and imaginary parts, each `(…, sequences, frequencies)`.
        sequence_length: The length of a sequence.
        sequence_stride: The distance of two sequences.
        fft_length: The length of the transform.
        length: The length of the signal; None for all that the sequences cover.
        window: As for `stft`. Without a window, overlapping sequences are added up, as in Keras.
        center: Whether `stft` padded the signal.
    """
    sequences = jnp.fft.irfft(_complex("istft", x), fft_length)
    weights = fourier_window("istft", window, sequence_length, fft_length).astype(sequences.dtype)
    count = sequences.shape[-2]
    places = np.arange(count)[:, None] * sequence_stride + np.arange(fft_length)
    total = fft_length + sequence_stride * (count - 1)
    signal = jnp.zeros((*sequences.shape[:-2], total), sequences.dtype)
    signal = signal.at[..., places].add(sequences * weights)
    overlap = jnp.zeros(total, weights.dtype).at[places].add(weights**2)
    signal = signal / jnp.where(overlap > 1e-10, overlap, 1)
    if window is None:
        signal = signal * (fft_length / sequence_stride)
    start = fft_length // 2 if center else 0
    end = start + length if length is not None else total - start
    return signal[..., start:end]


def _complex(operation: str, x: Any) -> Array:
    if not isinstance(x, list | tuple) or len(x) != 2:
        raise ValueError(
            f"`{operation}`: `x` must be a pair of arrays, the real and the imaginary part, "
            f"received {x!r}."
        )
    real, imaginary = (as_tensor(operation, "x", part) for part in x)
    if real.shape != imaginary.shape or not jnp.issubdtype(real.dtype, jnp.floating):
        raise ValueError(
            f"`{operation}`: the real and the imaginary part must be floating-point numbers of one "
            f"shape, received {real.shape} {real.dtype} and {imaginary.shape} {imaginary.dtype}."
        )
    return jax.lax.complex(real, imaginary)


def _parts(x: Array) -> tuple[Array, Array]:
    return jnp.real(x), jnp.imag(x)


__all__ = op.names
