"""Batch normalization."""

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.core.masking import check_mask, split_mask, with_mask
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import is_integer, number_between
from fjax.layers.array_layer import resolve_functions
from fjax.layers.axes import broadcast_shape
from fjax.layers.normalization.base import at_least_float32, init_gamma_and_beta
from fjax.traits import within_rows
from fjax.typing import Array, Identifier, Key, Params, Spec, State


class BatchNormalization(Layer):
    """Normalize each feature by batch statistics in training, by moving averages at inference.

    In training `outputs = gamma * (inputs - mean) / sqrt(variance + epsilon) + beta`, with the
    statistics of the batch, and `moving = moving * momentum + batch * (1 - momentum)` in the state.
    Masked steps are excluded from the statistics; the outputs carry the mask. In a step over
    several devices the statistics are those of the whole batch, as with Keras's `synchronized`.

    Args:
        axis: The feature axis.
        momentum: The share of the moving statistics that each step keeps, in [0, 1].
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: Initializer of `beta`.
        gamma_initializer: Initializer of `gamma`.
        moving_mean_initializer: Initializer of the moving mean.
        moving_variance_initializer: Initializer of the moving variance.
        beta_regularizer: Regularizer of `beta`; None means no penalty.
        gamma_regularizer: Regularizer of `gamma`.
        beta_constraint: Applied to `beta` after each training step; None means no constraint.
        gamma_constraint: Applied to `gamma` after each training step.
        trainable: False normalizes by the moving statistics in training, too, and does not update
            them.

    Shapes: `(batch, …, features)`, unchanged. State: `moving_mean` and `moving_variance`.

    Raises:
        ValueError: An argument is out of range, the inputs have no such axis, or a mask does not
            have the shape of the inputs without the last axis.

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

    # The statistics are those of the whole batch, on however many devices it is.
    neutral_arguments: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "renorm": (False,), "renorm_clipping": (None,), "renorm_momentum": (0.99,),
        "synchronized": (False, True),
    }  # fmt: skip

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
    casting = "float32"

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = "BatchNormalization"
        if not is_integer(self.axis):
            raise ValueError(f"`{owner}`: `axis` must be an integer, received {self.axis!r}.")
        self.momentum = number_between(owner, "momentum", self.momentum, 0.0, 1.0)
        self.epsilon = number_between(owner, "epsilon", self.epsilon, 0.0)
        resolve_functions(self)

    @property
    def entrywise(self) -> bool:
        """Whether the last axis is the feature axis; each of its entries is computed separately."""
        # Padded features have variance 0: without an epsilon they would be divided by 0.
        return self.axis == -1 and self.epsilon > 0

    @property
    def rows_independent_in_inference(self) -> bool:
        """Whether the feature axis is not the batch axis."""
        return within_rows(self.axis)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return `gamma` and `beta`, and the moving statistics."""
        shape = (self._features(single_input("BatchNormalization", specs).shape),)
        keys = jax.random.split(key, 4)
        draw = functools.partial(initializers.draw, dtype=self.variable_dtype)
        params = init_gamma_and_beta(self, shape, keys[0], keys[1])
        state = {
            "moving_mean": draw(self.moving_mean_initializer, keys[2], shape),
            "moving_variance": draw(self.moving_variance_initializer, keys[3], shape),
        }
        return params, {**state, **empty_penalty(self)}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the normalized inputs, and in training the updated moving statistics."""
        values, mask = split_mask(single_input("BatchNormalization", inputs))
        features = self._features(values.shape)
        if features != state["moving_mean"].shape[0]:
            raise ValueError(
                f"`BatchNormalization` was built for {state['moving_mean'].shape[0]} features on "
                f"axis {self.axis}, received inputs of shape {tuple(values.shape)}."
            )
        axis = self.axis % values.ndim
        if training and self.trainable:
            others = tuple(i for i in range(values.ndim) if i != axis)
            wide = at_least_float32(values)
            if mask is None:
                mean, variance = jnp.mean(wide, axis=others), jnp.var(wide, axis=others)
            else:
                mean, variance = _masked_moments(wide, mask, others)
            state = {
                "moving_mean": self._update(state["moving_mean"], mean),
                "moving_variance": self._update(state["moving_variance"], variance),
            }
        else:
            mean, variance = state["moving_mean"], state["moving_variance"]
        factor = jax.lax.rsqrt(variance + self.epsilon)
        if self.scale:
            factor = factor * params["gamma"]
        offset = -mean * factor
        if self.center:
            offset = offset + params["beta"]
        shape = broadcast_shape((axis,), values.shape)
        outputs = values * factor.reshape(shape) + offset.reshape(shape)
        outputs = outputs.astype(values.dtype)
        return with_mask(outputs, mask), with_penalty(self, params, state, outputs)

    def _update(self, moving: Array, batch: Array) -> Array:
        batch = jax.lax.stop_gradient(batch)
        return moving * self.momentum + batch * (1.0 - self.momentum)

    def _features(self, shape: tuple[int, ...]) -> int:
        if len(shape) < 2 or not -len(shape) <= self.axis < len(shape):
            raise ValueError(
                f"`BatchNormalization` needs inputs (batch, …) with an axis {self.axis}, "
                f"received {tuple(shape)}."
            )
        return shape[self.axis]


def _masked_moments(values: Array, mask: Any, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the mean and variance of the unmasked values along the axes."""
    mask = check_mask("BatchNormalization", values, mask, axes=values.ndim - 1)
    mask = jnp.broadcast_to(mask[..., None], values.shape)
    # Keras adds the same number, so that a batch that is masked completely is not divided by 0.
    count = jnp.sum(mask, axis=axes, keepdims=True) + 1e-7
    mean = jnp.sum(jnp.where(mask, values, 0.0), axis=axes, keepdims=True) / count
    squares = jnp.square(jnp.where(mask, values - mean, 0.0))
    variance = jnp.sum(squares, axis=axes, keepdims=True) / count
    return jnp.squeeze(mean, axes), jnp.squeeze(variance, axes)
