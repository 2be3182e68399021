"""Activation layers that combine the entries along an axis."""

from typing import Any

import jax.numpy as jnp

from fjax import activations
from fjax.core.masking import split_mask, with_mask
from fjax.errors import integer_at_least, is_integer
from fjax.layers.array_layer import ArrayLayer
from fjax.layers.axes import parse_axis
from fjax.traits import within_rows
from fjax.typing import Array, Params


class Softmax(ArrayLayer):
    """`exp(inputs) / sum(exp(inputs))` along an axis: positive numbers that sum to 1.

    Masked entries become exactly 0, and the others sum to 1; if all entries are masked, all become
    0. The mask of `layer(inputs, mask=mask)` must broadcast to the inputs.

    Args:
        axis: The axis to sum over, or a list of them.

    Shapes: any, unchanged.

    Raises:
        ValueError: The mask does not broadcast to the inputs, or the axis does not exist.

    Source: Keras's page "Softmax layer".

    >>> import jax.numpy as jnp
    >>> Softmax()(jnp.zeros((1, 3)), mask=jnp.array([[True, True, False]])).tolist()
    [[0.5, 0.5, 0.0]]
    """

    axis: int | tuple[int, ...] = -1

    masking = "takes"
    casting = "float32"
    call_parameters = ("inputs", "mask")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.axis = parse_axis("Softmax", self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is known not to be the batch axis."""
        return within_rows(self.axis)

    def compute_outputs(self, params: Params, values: Array) -> Any:
        """Return the probabilities."""
        values, mask = split_mask(values)
        rank = values.ndim
        for axis in self.axis if isinstance(self.axis, tuple) else (self.axis,):
            if not -rank <= axis < rank:
                raise ValueError(
                    f"`Softmax`: `axis` {axis} does not exist in inputs of shape "
                    f"{tuple(values.shape)}."
                )
        if mask is None:
            return activations.softmax(values, self.axis)
        boolean_mask = jnp.asarray(mask, bool)
        _check_mask(values, boolean_mask)
        # Finite, so that the gradient of fully masked rows is not NaN.
        lowest = jnp.asarray(-3e4 if values.dtype == jnp.float16 else -1e9, values.dtype)
        outputs = activations.softmax(jnp.where(boolean_mask, values, lowest), self.axis)
        return with_mask(jnp.where(boolean_mask, outputs, jnp.zeros_like(outputs)), mask)


class Maxout(ArrayLayer):
    """The maximum of each group of features; there are `num_units` groups of equal size.

    Args:
        num_units: The number of groups, and of outputs; it must divide the number of features.
        axis: The axis of the features, not the batch axis.

    Shapes: `(batch, …, features)` to `(batch, …, num_units)`.

    Raises:
        ValueError: `num_units` is not positive or does not divide the number of features, or the
            axis does not exist.

    Source: Goodfellow et al., "Maxout Networks" (2013), https://arxiv.org/abs/1302.4389.

    >>> import jax.numpy as jnp
    >>> Maxout(2).apply({}, {}, jnp.array([[1.0, 5.0, 3.0, 2.0]]))[0].tolist()
    [[3.0, 5.0]]
    """

    in_keras = False

    num_units: int
    axis: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.num_units = integer_at_least("Maxout", "num_units", self.num_units, 1)
        if not is_integer(self.axis) or self.axis == 0:
            raise ValueError(
                "`Maxout`: `axis` must be an integer and not 0, the batch axis, received "
                f"{self.axis!r}."
            )

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is known not to be the batch axis."""
        return within_rows(self.axis)

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the maximum of each group."""
        rank, shape = values.ndim, tuple(values.shape)
        if not -rank < self.axis < rank:
            raise ValueError(
                f"`Maxout`: `axis` {self.axis} is not an axis of a sample for inputs of shape "
                f"{shape}."
            )
        axis = self.axis % rank
        if shape[axis] % self.num_units:
            raise ValueError(
                f"`Maxout`: `num_units` {self.num_units} must divide the {shape[axis]} features "
                f"on axis {self.axis} of inputs of shape {shape}."
            )
        group_size = shape[axis] // self.num_units
        groups = values.reshape(*shape[:axis], group_size, self.num_units, *shape[axis + 1 :])
        return jnp.max(groups, axis=axis)


def _check_mask(values: Array, mask: Array) -> None:
    """Raise unless the mask broadcasts to the shape of the values."""
    try:
        broadcasts = jnp.broadcast_shapes(mask.shape, values.shape) == values.shape
    except ValueError:
        broadcasts = False
    if not broadcasts:
        raise ValueError(
            f"`Softmax`: the mask must broadcast to inputs of shape {tuple(values.shape)}, "
            f"received a mask of shape {tuple(mask.shape)}."
        )
