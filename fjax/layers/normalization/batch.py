"""Batch normalization: each feature by the statistics of the batch."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.core.masking import check_mask, split_mask, with_mask
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import is_integer, number_between
from fjax.typing import Array, Identifier, Key, Params, Spec, State


class BatchNormalization(Layer):
    """Normalize each feature by the batch's mean and variance, at inference by moving averages.

    In training `outputs = gamma * (inputs - mean) / sqrt(variance + epsilon) + beta`, with the
    batch's statistics, and `moving = moving * momentum + batch * (1 - momentum)` in the state.
    What a mask leaves out does not count in the statistics; the mask goes on. In a step over
    several devices the batch is one array, and its statistics are those of the whole: that is what
    Keras's `synchronized` asks for.

    Args:
        axis: The axis of the features.
        momentum: How much of the moving statistics is kept at each step, in [0, 1].
        epsilon: Added to the variance.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: Makes `beta`.
        gamma_initializer: Makes `gamma`.
        moving_mean_initializer: Makes the moving mean.
        moving_variance_initializer: Makes the moving variance.
        beta_regularizer: Charges for `beta`, in the loss; None charges nothing.
        gamma_regularizer: Charges for `gamma`.
        beta_constraint: Applied to `beta` after each step; None leaves it as it is.
        gamma_constraint: Applied to `gamma` after each step.
        trainable: False normalizes by the moving statistics in training too, and leaves them.

    Shapes: `(batch, …, features)`, unchanged. State: `moving_mean` and `moving_variance`.

    Raises:
        ValueError: A number is out of its range, the inputs have no such axis, or a mask has not
            their shape without the last axis.

    Source: Ioffe and Szegedy, "Batch Normalization" (2015); Keras's page
    "BatchNormalization layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = BatchNormalization()
    >>> inputs = jnp.array([[1.0], [3.0]])
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> outputs, state = layer.apply(params, state, inputs, training=True)
    >>> outputs.round(2).tolist(), round(state["moving_mean"].item(), 4)
    ([[-1.0], [1.0]], 0.02)
    """

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Identifier = "zeros"
    gamma_initializer: Identifier = "ones"
    moving_mean_initializer: Identifier = "zeros"
    moving_variance_initializer: Identifier = "ones"
    beta_regularizer: Identifier = None
    gamma_regularizer: Identifier = None
    beta_constraint: Identifier = None
    gamma_constraint: Identifier = None

    masking = "takes"

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = "BatchNormalization"
        if not is_integer(self.axis):
            raise ValueError(f"`{owner}`: `axis` must be an integer, received {self.axis!r}.")
        self.momentum = number_between(owner, "momentum", self.momentum, 0.0, 1.0)
        self.epsilon = number_between(owner, "epsilon", self.epsilon, 0.0)
        self.beta_initializer = initializers.get(self.beta_initializer)
        self.gamma_initializer = initializers.get(self.gamma_initializer)
        self.moving_mean_initializer = initializers.get(self.moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(self.moving_variance_initializer)

    @property
    def entrywise(self) -> bool:
        """Whether each entry of the last axis has statistics of its own; of padding they are 0."""
        # Padding has no variance: without an epsilon it would be divided by zero.
        return self.axis == -1 and self.epsilon > 0

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Make `gamma` and `beta`, and the moving statistics."""
        shape = (self._features(single_input("BatchNormalization", specs).shape),)
        keys = jax.random.split(key, 4)
        params, state = {}, {}
        if self.scale:
            params["gamma"] = initializers.draw(self.gamma_initializer, keys[0], shape)
        if self.center:
            params["beta"] = initializers.draw(self.beta_initializer, keys[1], shape)
        state["moving_mean"] = initializers.draw(self.moving_mean_initializer, keys[2], shape)
        state["moving_variance"] = initializers.draw(
            self.moving_variance_initializer, keys[3], shape
        )
        return params, {**state, **empty_penalty(self)}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the normalized inputs, in training with the moving statistics moved on."""
        values, mask = split_mask(single_input("BatchNormalization", inputs))
        features = self._features(values.shape)
        if features != state["moving_mean"].shape[0]:
            raise ValueError(
                f"`BatchNormalization` was built for {state['moving_mean'].shape[0]} features on "
                f"axis {self.axis}, received inputs of shape {tuple(values.shape)}."
            )
        axis = self.axis % values.ndim
        broadcast = tuple(features if i == axis else 1 for i in range(values.ndim))
        if training and self.trainable:
            others = tuple(i for i in range(values.ndim) if i != axis)
            # Half precision is too narrow to sum a batch in.
            wide = values.astype(jnp.promote_types(values.dtype, jnp.float32))
            if mask is None:
                mean, variance = jnp.mean(wide, axis=others), jnp.var(wide, axis=others)
            else:
                mean, variance = _masked_moments(wide, mask, others)
            state = {
                "moving_mean": self._moved(state["moving_mean"], mean),
                "moving_variance": self._moved(state["moving_variance"], variance),
            }
        else:
            mean, variance = state["moving_mean"], state["moving_variance"]
        factor = jax.lax.rsqrt(variance + self.epsilon)
        if self.scale:
            factor = factor * params["gamma"]
        offset = -mean * factor
        if self.center:
            offset = offset + params["beta"]
        outputs = values * factor.reshape(broadcast) + offset.reshape(broadcast)
        outputs = outputs.astype(values.dtype)
        return with_mask(outputs, mask), with_penalty(self, params, state, outputs)

    def _moved(self, moving: Array, batch: Array) -> Array:
        batch = jax.lax.stop_gradient(batch)
        return moving * self.momentum + batch * (1.0 - self.momentum)

    def _features(self, shape: tuple[int, ...]) -> int:
        if len(shape) < 2 or not -len(shape) <= self.axis < len(shape):
            raise ValueError(
                f"`BatchNormalization` needs inputs (batch, …) with an axis {self.axis}, "
                f"received {tuple(shape)}."
            )
        return shape[self.axis]


def _masked_moments(values: Array, mask: Any, others: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the mean and the variance of what counts, along the other axes."""
    mask = check_mask("BatchNormalization", values, mask, axes=values.ndim - 1)
    counts = jnp.broadcast_to(mask[..., None], values.shape)
    # Keras's bound, so that a batch in which nothing counts is not divided by 0.
    total = jnp.sum(counts, axis=others, keepdims=True) + 1e-7
    mean = jnp.sum(jnp.where(counts, values, 0.0), axis=others, keepdims=True) / total
    squares = jnp.square(jnp.where(counts, values - mean, 0.0))
    variance = jnp.sum(squares, axis=others, keepdims=True) / total
    return jnp.squeeze(mean, others), jnp.squeeze(variance, others)
