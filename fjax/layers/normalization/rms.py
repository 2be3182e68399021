"""Root mean square normalization."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.errors import number_between
from fjax.layers.normalization.axes import along, checked_axes, placed_axes
from fjax.traits import within_rows
from fjax.typing import Array, Key, Params, Spec, State

OWNER = "RMSNormalization"


class RMSNormalization(Layer):
    """Divide each sample by the root mean square of its features: `scale * x / sqrt(mean(x**2))`.

    Keras 3.15.1 fails for an axis other than the last, and ends a mask here; this does neither.

    Args:
        axis: The axis that the mean is taken along, or a list of them; not the batch axis.
        epsilon: Added to the mean square.

    Shapes: `(batch, …)`, unchanged; `scale` has the sizes of the axes, in their order.

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

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.axis = checked_axes(OWNER, self.axis)
        self.epsilon = number_between(OWNER, "epsilon", self.epsilon, 0.0)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is known not to be that of the batch."""
        return within_rows(self.axis)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Make `scale`, of ones."""
        sizes = single_input(OWNER, specs).shape
        shape = tuple(sizes[place] for place in placed_axes(OWNER, self.axis, sizes))
        return {"scale": jnp.ones(shape, jnp.float32)}, {}

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
        places = placed_axes(OWNER, self.axis, values.shape)
        sizes = tuple(values.shape[place] for place in places)
        scale = params["scale"]
        if scale.shape != sizes:
            raise ValueError(
                f"`{OWNER}` was built for sizes {scale.shape} on axis {self.axis}, received "
                f"inputs of shape {tuple(values.shape)}."
            )
        # Half precision is too narrow for squares.
        wide = values.astype(jnp.promote_types(values.dtype, jnp.float32))
        squares = jnp.mean(jnp.square(wide), axis=places, keepdims=True)
        outputs = wide * jax.lax.rsqrt(squares + self.epsilon)
        outputs = outputs * scale.reshape(along(places, values.shape))
        return outputs.astype(values.dtype), state
