"""Group normalization."""

from typing import Any

import jax

from fjax import initializers
from fjax.core.checks import single_input
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import is_integer, number_between
from fjax.layers.normalization.axes import broadcast_shape, positive_axes
from fjax.layers.normalization.base import (
    PerSampleNormalization,
    apply_gamma_and_beta,
    at_least_float32,
    check_weight_shapes,
    init_gamma_and_beta,
    standardize,
)
from fjax.typing import Array, Identifier, Key, Params, Shape, Spec, State

OWNER = "GroupNormalization"


class GroupNormalization(PerSampleNormalization):
    """Normalize each sample by the mean and variance of groups of its channels.

    The statistics of a group are computed over its channels and all other axes except the batch
    axis; no sample depends on another. A single group is layer normalization over all axes; as many
    groups as channels are instance normalization.

    Args:
        groups: The number of groups, a divisor of the number of channels; -1 means one group per
            channel.
        axis: The axis of the channels; not the batch axis.
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: Initializer of `beta`.
        gamma_initializer: Initializer of `gamma`.
        beta_regularizer: Regularizer of `beta`; None means no penalty.
        gamma_regularizer: Regularizer of `gamma`.
        beta_constraint: Applied to `beta` after each training step; None means no constraint.
        gamma_constraint: Applied to `gamma` after each training step.

    Shapes: `(batch, …, channels)`, unchanged; `gamma` and `beta` have shape `(channels,)`.

    Raises:
        ValueError: An argument is out of range, `groups` does not divide the number of channels,
            or the inputs have no such axis.

    Source: Wu and He, "Group Normalization" (2018), https://arxiv.org/abs/1803.08494; Keras's page
    "GroupNormalization layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = GroupNormalization(groups=2)
    >>> inputs = jnp.array([[1.0, 3.0, 10.0, 30.0]])
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> layer.apply(params, state, inputs)[0].round(2).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    groups: int = 32
    axis: int = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Identifier = "zeros"
    gamma_initializer: Identifier = "ones"
    beta_regularizer: Identifier = None
    gamma_regularizer: Identifier = None
    beta_constraint: Identifier = None
    gamma_constraint: Identifier = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_integer(self.groups) or (self.groups < 1 and self.groups != -1):
            raise ValueError(
                f"`{OWNER}`: `groups` must be an integer of at least 1, or -1 for one group per "
                f"channel, received {self.groups!r}."
            )
        if not is_integer(self.axis):
            raise ValueError(f"`{OWNER}`: `axis` must be an integer, received {self.axis!r}.")
        self.epsilon = number_between(OWNER, "epsilon", self.epsilon, 0.0)
        self.beta_initializer = initializers.get(self.beta_initializer)
        self.gamma_initializer = initializers.get(self.gamma_initializer)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return `gamma` and `beta`."""
        shape = single_input(OWNER, specs).shape
        axis, _ = self._grouped_shape(shape)
        keys = jax.random.split(key)
        params = init_gamma_and_beta(self, (shape[axis],), keys[0], keys[1])
        return params, empty_penalty(self)

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
        axis, grouped_shape = self._grouped_shape(values.shape)
        check_weight_shapes(self, params, (axis,), values.shape)
        grouped = at_least_float32(values).reshape(grouped_shape)
        # In the grouped shape, `axis` is the axis of groups.
        within_group = tuple(i for i in range(1, grouped.ndim) if i != axis)
        outputs = standardize(grouped, within_group, self.epsilon).reshape(values.shape)
        weight_shape = broadcast_shape((axis,), values.shape)
        outputs = apply_gamma_and_beta(self, params, outputs, weight_shape).astype(values.dtype)
        return outputs, with_penalty(self, params, state, outputs)

    def _grouped_shape(self, shape: Shape) -> tuple[int, Shape]:
        """Return the channel axis, and the shape with that axis split into groups and channels."""
        (axis,) = positive_axes(OWNER, self.axis, shape)
        channels = shape[axis]
        groups = channels if self.groups == -1 else self.groups
        if channels % groups:
            raise ValueError(
                f"`{OWNER}`: `groups` {groups} must divide the {channels} channels on axis "
                f"{self.axis} of inputs of shape {tuple(shape)}."
            )
        return axis, (*shape[:axis], groups, channels // groups, *shape[axis + 1 :])
