"""The parts that several normalization layers share."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.core.layer import Layer
from fjax.traits import within_rows
from fjax.typing import Array, Key, Params, Shape


class PerSampleNormalization(Layer):
    """Base of the layers that normalize each sample on its own, along the axes `axis`."""

    masking = "keeps"

    @property
    def rows_independent(self) -> bool:
        """Whether no axis can be the batch axis."""
        return within_rows(self.axis)


def at_least_float32(values: Array) -> Array:
    """Return values in float32 or wider: half precision is too narrow for sums and squares."""
    return values.astype(jnp.promote_types(values.dtype, jnp.float32))


def standardize(
    values: Array, axes: tuple[int, ...], epsilon: float, keep_mean: bool = False
) -> Array:
    """Return values with variance 1 along the axes, and mean 0 unless it is kept."""
    mean = jnp.mean(values, axis=axes, keepdims=True)
    centered = values - mean
    variance = jnp.mean(jnp.square(centered), axis=axes, keepdims=True)
    return (values if keep_mean else centered) * jax.lax.rsqrt(variance + epsilon)


def init_gamma_and_beta(layer: Any, shape: Shape, gamma_key: Key, beta_key: Key) -> Params:
    """Return the weights that a layer's fields `scale` and `center` ask for."""
    params = {}
    if layer.scale:
        params["gamma"] = initializers.draw(layer.gamma_initializer, gamma_key, shape)
    if layer.center:
        params["beta"] = initializers.draw(layer.beta_initializer, beta_key, shape)
    return params


def apply_gamma_and_beta(layer: Any, params: Params, values: Array, shape: Shape) -> Array:
    """Return `gamma * values + beta`, with the weights that the layer has reshaped to `shape`."""
    if layer.scale:
        values = values * params["gamma"].reshape(shape)
    if layer.center:
        values = values + params["beta"].reshape(shape)
    return values


def check_weight_shapes(layer: Any, params: Params, axes: tuple[int, ...], shape: Shape) -> None:
    """Raise ValueError if the layer was built for other sizes along the axes of its inputs."""
    sizes = tuple(shape[axis] for axis in axes)
    for weight in params.values():
        if weight.shape != sizes:
            raise ValueError(
                f"`{layer.kind}` was built for sizes {weight.shape} on axis {layer.axis}, received "
                f"inputs of shape {tuple(shape)}."
            )
