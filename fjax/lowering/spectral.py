"""Short-time Fourier transforms of signals."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.typing import Array


def short_time_fourier(
    owner: str,
    signal: Array,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any,
    center: bool,
) -> tuple[Array, Array]:
    """Return the real and imaginary parts of the transforms of sequences, along the last axis.

    Args:
        owner: The operation or layer that an error names.
        signal: The signal, `(…, time)`, of floating-point numbers.
        sequence_length: The length of a sequence.
        sequence_stride: The distance of two sequences.
        fft_length: The length of a transform, at least that of a sequence.
        window: "hann", "hamming", an array of the length of a sequence, or None.
        center: Whether the signal is padded by reflection, so that sequences are centered.

    Shapes: `(…, time)` to `(…, sequences, fft_length // 2 + 1)`.

    Raises:
        ValueError: The window or a length is invalid.
    """
    weights = fourier_window(owner, window, sequence_length, fft_length).astype(signal.dtype)
    if center:
        ends = [(0, 0)] * (signal.ndim - 1) + [(fft_length // 2, fft_length // 2)]
        signal = jnp.pad(signal, ends, mode="reflect")
    count = (signal.shape[-1] - fft_length) // sequence_stride + 1
    places = np.arange(count)[:, None] * sequence_stride + np.arange(fft_length)
    transforms = jnp.fft.rfft(signal[..., places] * weights, fft_length)
    return jnp.real(transforms), jnp.imag(transforms)


def fourier_window(owner: str, window: Any, sequence_length: int, fft_length: int) -> Any:
    """Return a window in the middle of the length of the transform; see `short_time_fourier`."""
    if fft_length < sequence_length:
        raise ValueError(
            f"`{owner}`: `fft_length` must be at least `sequence_length`, received "
            f"{fft_length} and {sequence_length}."
        )
    before = (fft_length - sequence_length) // 2
    after = fft_length - sequence_length - before
    if window is None:
        return jnp.ones(fft_length, "float32")
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(
                f"`{owner}`: `window` must be 'hann', 'hamming', an array or None, received "
                f"{window!r}."
            )
        # The periodic form, as for a transform of one period.
        share = 0.5 if window == "hann" else 0.54
        angles = 2 * np.pi * np.arange(sequence_length) / sequence_length
        window = share - (1 - share) * np.cos(angles)
    values = jnp.asarray(window, "float32")
    if values.shape != (sequence_length,):
        raise ValueError(
            f"`{owner}`: `window` must have the shape ({sequence_length},), received "
            f"{values.shape}."
        )
    return jnp.pad(values, (before, after))
