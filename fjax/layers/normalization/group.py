"""Group normalization."""

from fjax.errors import is_integer
from fjax.layers.axes import positive_axes
from fjax.layers.normalization.base import AffineNormalization, standardize
from fjax.typing import Array, Identifier, Shape


class GroupNormalization(AffineNormalization):
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
        if not is_integer(self.groups) or (self.groups < 1 and self.groups != -1):
            raise ValueError(
                f"`{self.kind}`: `groups` must be an integer of at least 1, or -1 for one group "
                f"per channel, received {self.groups!r}."
            )
        if not is_integer(self.axis):
            raise ValueError(f"`{self.kind}`: `axis` must be an integer, received {self.axis!r}.")
        super().__post_init__()

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError if the groups do not divide the channels."""
        (axis,) = positive_axes(self.kind, self.axis, shape)
        if self.groups != -1 and shape[axis] % self.groups:
            raise ValueError(
                f"`{self.kind}`: `groups` {self.groups} must divide the {shape[axis]} channels on "
                f"axis {self.axis} of inputs of shape {tuple(shape)}."
            )

    def normalize(self, values: Array, axes: tuple[int, ...]) -> Array:
        """Return the values with mean 0 and variance 1 in each group."""
        (axis,), shape = axes, values.shape
        groups = shape[axis] if self.groups == -1 else self.groups
        grouped = values.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])
        # In the grouped shape, `axis` is the axis of groups.
        within_group = tuple(i for i in range(1, grouped.ndim) if i != axis)
        return standardize(grouped, within_group, self.epsilon).reshape(shape)
