"""Layer normalization: each sample by its own mean and variance."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import number_between
from fjax.layers.normalization.axes import along, checked_axes, placed_axes
from fjax.traits import within_rows
from fjax.typing import Array, Identifier, Key, Params, Spec, State

OWNER = "LayerNormalization"


class LayerNormalization(Layer):
    """Normalize each sample by its own mean and variance along the features.

    `outputs = gamma * (inputs - mean) / sqrt(variance + epsilon) + beta`, in training and at
    inference alike: no sample depends on another, and there is nothing to keep.

    Args:
        axis: The axis that the statistics are taken along, or a list of them; not the batch axis.
        epsilon: Added to the variance.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: Makes `beta`.
        gamma_initializer: Makes `gamma`.
        beta_regularizer: Charges for `beta`, in the loss; None charges nothing.
        gamma_regularizer: Charges for `gamma`.
        beta_constraint: Applied to `beta` after each step; None leaves it as it is.
        gamma_constraint: Applied to `gamma` after each step.

    Shapes: `(batch, …)`, unchanged; `gamma` and `beta` have the sizes of the axes, in their order.

    Raises:
        ValueError: A number is out of its range, or the inputs have no such axis.

    Source: Ba, Kiros and Hinton, "Layer Normalization" (2016), https://arxiv.org/abs/1607.06450;
    Keras's page "LayerNormalization layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = LayerNormalization()
    >>> inputs = jnp.array([[1.0, 3.0], [10.0, 30.0]])
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> layer.apply(params, state, inputs)[0].round(2).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    axis: int | tuple[int, ...] = -1
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
        self.axis = checked_axes(OWNER, self.axis)
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
        shape = tuple(sizes[place] for place in placed_axes(OWNER, self.axis, sizes))
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
        places = placed_axes(OWNER, self.axis, values.shape)
        sizes = tuple(values.shape[place] for place in places)
        for weight in params.values():
            if weight.shape != sizes:
                raise ValueError(
                    f"`{OWNER}` was built for sizes {weight.shape} on axis {self.axis}, received "
                    f"inputs of shape {tuple(values.shape)}."
                )
        # Half precision is too narrow to sum in.
        wide = values.astype(jnp.promote_types(values.dtype, jnp.float32))
        mean = jnp.mean(wide, axis=places, keepdims=True)
        centered = wide - mean
        variance = jnp.mean(jnp.square(centered), axis=places, keepdims=True)
        outputs = centered * jax.lax.rsqrt(variance + self.epsilon)
        broadcast = along(places, values.shape)
        if self.scale:
            outputs = outputs * params["gamma"].reshape(broadcast)
        if self.center:
            outputs = outputs + params["beta"].reshape(broadcast)
        outputs = outputs.astype(values.dtype)
        return outputs, with_penalty(self, params, state, outputs)
