"""The kernel of a short-time Fourier transform."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.errors import one_of
from fjax.initializers.initializer import (
    Initializer,
    resolve_shape,
    short_repr,
)
from fjax.typing import Array, DType, Key, Shape


class STFT(Initializer):
    """A convolution kernel for the real or imaginary part of a short-time Fourier transform.

    The kernel has shape `(frame_length, 1, bins)`; the transform has length `2 * (bins - 1)`.

    Args:
        side: "real" for the cosines, "imag" for the sines.
        window: The name of a window in `scipy.signal.windows`, its values, or None for no window.
        scaling: Divide by the window's L2 norm ("density"), by its L1 norm ("spectrum"), or do not
            divide (None).
        periodic: Whether a named window is periodic rather than symmetric.

    Raises:
        ValueError: An argument is invalid, or the requested shape does not have that form.

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
                    f"received {short_repr(self.window)}."
                )
            self.window = tuple(values.tolist())

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain data, the values of a window as a list."""
        config = super().get_config()
        window = config["window"]
        return {**config, "window": list(window) if isinstance(window, tuple) else window}

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return the kernel."""
        shape, dtype = resolve_shape(self, shape, dtype, floating=True)
        if len(shape) != 3 or shape[1] != 1 or shape[2] < 2:
            raise ValueError(
                "`STFT` makes kernels of shape (frame_length, 1, bins) with at least 2 bins, "
                f"received {shape}."
            )
        frame_length, _, bins = shape
        # Full turns are removed in integers: large angles would lose digits in a floating dtype.
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
            # Imported here because few programs need it. JAX itself requires SciPy.
            from scipy.signal import get_window

            try:
                return get_window(self.window, frame_length, fftbins=self.periodic)
            except ValueError as error:
                raise ValueError(f"`STFT`: `window` {self.window!r}: {error}") from None
        values = np.asarray(self.window)
        if len(values) != frame_length:
            raise ValueError(
                f"`STFT`: `window` has {len(values)} values, but the requested frame length is "
                f"{frame_length}; they must agree."
            )
        return values
