"""Group normalization: each sample by the statistics of groups of its channels."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import is_integer, number_between
from fjax.layers.normalization.axes import along, placed_axes
from fjax.traits import within_rows
from fjax.typing import Array, Identifier, Key, Params, Shape, Spec, State

OWNER = "GroupNormalization"


class GroupNormalization(Layer):
    """Normalize each sample by the mean and variance of groups of its channels.

    The statistics of a group are taken over its channels and over all axes but the batch axis; no
    sample depends on another. One group is a layer normalization over all axes, as many groups as
    channels an instance normalization.

    Args:
        groups: The number of groups, which must divide that of channels; -1 gives each channel its
            own.
        axis: The axis of the channels; not the batch axis.
        epsilon: Added to the variance.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: Makes `beta`.
        gamma_initializer: Makes `gamma`.
        beta_regularizer: Charges for `beta`, in the loss; None charges nothing.
        gamma_regularizer: Charges for `gamma`.
        beta_constraint: Applied to `beta` after each step; None leaves it as it is.
        gamma_constraint: Applied to `gamma` after each step.

    Shapes: `(batch, …, channels)`, unchanged; `gamma` and `beta` have shape `(channels,)`.

    Raises:
        ValueError: A number is out of its range, the groups do not divide the channels, or the
            inputs have no such axis.

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

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_integer(self.groups) or (self.groups < 1 and self.groups != -1):
            raise ValueError(
                f"`{OWNER}`: `groups` must be an integer of at least 1, or -1 for a group of each "
                f"channel, received {self.groups!r}."
            )
        if not is_integer(self.axis):
            raise ValueError(f"`{OWNER}`: `axis` must be an integer, received {self.axis!r}.")
        self.epsilon = number_between(OWNER, "epsilon", self.epsilon, 0.0)
        self.beta_initializer = initializers.get(self.beta_initializer)
        self.gamma_initializer = initializers.get(self.gamma_initializer)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is known not to be that of the batch."""
        return within_rows(self.axis)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Make `gamma` and `beta`."""
        sizes = single_input(OWNER, specs).shape
        place, _ = self._grouped(sizes)
        shape = (sizes[place],)
        keys = jax.random.split(key)
        params = {}
        if self.scale:
            params["gamma"] = initializers.draw(self.gamma_initializer, keys[0], shape)
        if self.center:
            params["beta"] = initializers.draw(self.beta_initializer, keys[1], shape)
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
        place, grouped = self._grouped(values.shape)
        for weight in params.values():
            if weight.shape != (values.shape[place],):
                raise ValueError(
                    f"`{OWNER}` was built for {weight.shape[0]} channels on axis {self.axis}, "
                    f"received inputs of shape {tuple(values.shape)}."
                )
        # Half precision is too narrow to sum in.
        wide = values.astype(jnp.promote_types(values.dtype, jnp.float32)).reshape(grouped)
        others = tuple(axis for axis in range(1, len(grouped)) if axis != place)
        mean = jnp.mean(wide, axis=others, keepdims=True)
        centered = wide - mean
        variance = jnp.mean(jnp.square(centered), axis=others, keepdims=True)
        outputs = (centered * jax.lax.rsqrt(variance + self.epsilon)).reshape(values.shape)
        broadcast = along((place,), values.shape)
        if self.scale:
            outputs = outputs * params["gamma"].reshape(broadcast)
        if self.center:
            outputs = outputs + params["beta"].reshape(broadcast)
        outputs = outputs.astype(values.dtype)
        return outputs, with_penalty(self, params, state, outputs)

    def _grouped(self, shape: Shape) -> tuple[int, Shape]:
        """Return the place of the channels, and the shape with an axis of groups before them."""
        (place,) = placed_axes(OWNER, self.axis, shape)
        channels = shape[place]
        groups = channels if self.groups == -1 else self.groups
        if channels % groups:
            raise ValueError(
                f"`{OWNER}`: `groups` {groups} must divide the {channels} channels on axis "
                f"{self.axis} of inputs of shape {tuple(shape)}."
            )
        return place, (*shape[:place], groups, channels // groups, *shape[place + 1 :])
