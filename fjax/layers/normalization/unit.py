"""Unit normalization: vectors of length 1."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.layers.normalization.axes import checked_axes, placed_axes
from fjax.traits import within_rows
from fjax.typing import Array, Key, Params, State

OWNER = "UnitNormalization"
# The shortest vector that is made one of length 1; a shorter one, as zeros, has no direction.
SHORTEST = 1e-12


class UnitNormalization(Layer):
    """Divide each sample by its Euclidean norm along an axis; zeros stay zeros.

    Args:
        axis: The axis of the vectors, or a list of them; not the batch axis.

    Shapes: `(batch, …)`, unchanged.

    Raises:
        ValueError: The inputs have no such axis.

    Source: Keras's page "UnitNormalization layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = UnitNormalization().apply({}, {}, jnp.array([[3.0, 4.0], [0.0, 0.0]]))
    >>> outputs.round(3).tolist()
    [[0.6..., 0.8...], [0.0, 0.0]]
    """

    axis: int | tuple[int, ...] = -1

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.axis = checked_axes(OWNER, self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is known not to be that of the batch."""
        return within_rows(self.axis)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs with norm 1 along the axis."""
        values = single_input(OWNER, inputs)
        places = placed_axes(OWNER, self.axis, values.shape)
        # Squares are too large or too small for half precision.
        wide = values.astype(jnp.promote_types(values.dtype, jnp.float32))
        squares = jnp.sum(jnp.square(wide), axis=places, keepdims=True)
        # The bound stands within the root, so that zeros have a gradient.
        outputs = wide * jax.lax.rsqrt(jnp.maximum(squares, SHORTEST**2))
        return outputs.astype(values.dtype), state
