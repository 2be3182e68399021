"""Unit normalization: vectors of norm 1."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.core.checks import single_input
from fjax.layers.normalization.axes import parse_axis, positive_axes
from fjax.layers.normalization.base import PerSampleNormalization, at_least_float32
from fjax.typing import Array, Key, Params, State

OWNER = "UnitNormalization"
# Norms below this count as this, so that a vector of zeros is not divided by 0.
MIN_NORM = 1e-12


class UnitNormalization(PerSampleNormalization):
    """Divide each sample by its Euclidean norm along an axis; zeros stay zeros.

    Args:
        axis: The axis, or a list of axes, of the vectors; not the batch axis.

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

    def __post_init__(self) -> None:
        super().__post_init__()
        self.axis = parse_axis(OWNER, self.axis)

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
        axes = positive_axes(OWNER, self.axis, values.shape)
        wide = at_least_float32(values)
        square_norm = jnp.sum(jnp.square(wide), axis=axes, keepdims=True)
        # The bound is applied before the root: the root has no finite gradient at 0.
        outputs = wide * jax.lax.rsqrt(jnp.maximum(square_norm, MIN_NORM**2))
        return outputs.astype(values.dtype), state
