"""Root mean square normalization."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.core.checks import single_input
from fjax.errors import number_between
from fjax.layers.normalization.axes import broadcast_shape, parse_axis, positive_axes
from fjax.layers.normalization.base import (
    PerSampleNormalization,
    at_least_float32,
    check_weight_shapes,
)
from fjax.typing import Array, Key, Params, Spec, State

OWNER = "RMSNormalization"


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

    def __post_init__(self) -> None:
        super().__post_init__()
        self.axis = parse_axis(OWNER, self.axis)
        self.epsilon = number_between(OWNER, "epsilon", self.epsilon, 0.0)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return `scale`, which starts at 1."""
        shape = single_input(OWNER, specs).shape
        sizes = tuple(shape[axis] for axis in positive_axes(OWNER, self.axis, shape))
        return {"scale": jnp.ones(sizes, jnp.float32)}, {}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the normalized inputs."""
        values = single_input(OWNER, inputs)
        axes = positive_axes(OWNER, self.axis, values.shape)
        check_weight_shapes(self, params, axes, values.shape)
        wide = at_least_float32(values)
        mean_square = jnp.mean(jnp.square(wide), axis=axes, keepdims=True)
        outputs = wide * jax.lax.rsqrt(mean_square + self.epsilon)
        outputs = outputs * params["scale"].reshape(broadcast_shape(axes, values.shape))
        return outputs.astype(values.dtype), state
