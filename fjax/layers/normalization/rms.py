"""Root mean square normalization."""

import jax
import jax.numpy as jnp

from fjax.layers.normalization.base import PerSampleNormalization
from fjax.typing import Array, Key, Params, Shape


class RMSNormalization(PerSampleNormalization):
    """Divide each sample by the root mean square of its features: `scale * x / sqrt(mean(x**2))`.

    Unlike that of Keras 3.15.1, this layer accepts any axis but the batch axis, and keeps masks.

    Args:
        axis: The axis, or a list of axes, to compute the mean along; not the batch axis.
        epsilon: Added to the mean square.

    Shapes: `(batch, …)`, unchanged; `scale` has the sizes of the axes, in order.

    Raises:
        ValueError: `epsilon` is negative, or the inputs have no such axis.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019),
    https://arxiv.org/abs/1910.07467; Keras's page "RMSNormalization layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = RMSNormalization()
    >>> inputs = jnp.array([[1.0, 7.0]])
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> layer.apply(params, state, inputs)[0].round(3).tolist()
    [[0.2..., 1.4...]]
    """

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-6

    def normalize(self, values: Array, axes: tuple[int, ...]) -> Array:
        """Return the values divided by their root mean square along the axes."""
        mean_square = jnp.mean(jnp.square(values), axis=axes, keepdims=True)
        return values * jax.lax.rsqrt(mean_square + self.epsilon)

    def draw_scales(self, key: Key, sizes: Shape) -> Params:
        """Return `scale`, which starts at 1."""
        return {"scale": jnp.ones(sizes, jnp.float32)}

    def rescale(self, params: Params, values: Array, shape: Shape) -> Array:
        """Return the values times `scale`."""
        return values * params["scale"].reshape(shape)
