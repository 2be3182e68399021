"""`Masking`, which masks padded steps of sequences."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.core.masking import Masked
from fjax.errors import number_between
from fjax.layers.array_layer import ArrayLayer
from fjax.typing import Array, Params


class Masking(ArrayLayer):
    """Mask the steps of sequences whose features all equal a value, and set them to zero.

    Args:
        mask_value: The value that marks padding.

    Shapes: `(batch, time, features)`, unchanged, with a mask of shape `(batch, time)`.

    Raises:
        ValueError: `mask_value` is not a number, or the inputs have no feature axis.

    Source: Keras's page "Masking layer".

    >>> inputs = jnp.array([[[1.0, 2.0], [-1.0, -1.0], [-1.0, 3.0]]])
    >>> outputs, _ = Masking(-1.0).apply({}, {}, inputs)
    >>> outputs.mask.tolist(), outputs.values.tolist()
    ([[True, False, True]], [[[1.0, 2.0], [0.0, 0.0], [-1.0, 3.0]]])
    """

    rows_independent = True

    mask_value: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.mask_value = number_between("Masking", "mask_value", self.mask_value, -np.inf)

    def compute_outputs(self, params: Params, values: Array) -> Masked:
        """Return the inputs with their mask."""
        values = jnp.asarray(values)
        if values.ndim < 3:
            raise ValueError(
                f"`Masking` needs sequences of shape (batch, time, features), received "
                f"{tuple(values.shape)}. Add an axis, as with `x[..., None]`."
            )
        mask = self.compute_mask(values)
        return Masked(jnp.where(mask[..., None], values, jnp.zeros_like(values)), mask)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs: where an entry of a step is not `mask_value`."""
        values = jnp.asarray(inputs)
        return jnp.any(values != jnp.asarray(self.mask_value, values.dtype), axis=-1)
