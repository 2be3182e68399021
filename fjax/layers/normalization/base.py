"""The parts that several normalization layers share."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.errors import number_between
from fjax.layers.array_layer import ArrayLayer
from fjax.layers.axes import broadcast_shape, parse_axis, positive_axes
from fjax.traits import within_rows
from fjax.typing import Array, Key, Params, Shape


class PerSampleNormalization(ArrayLayer):
    """Base of the layers that normalize each sample on its own, along the axes of the field `axis`.

    A subclass defines `normalize`, and if it has weights `draw_scales` and `rescale`.
    """

    masking = "keeps"
    casting = "float32"

    def __post_init__(self) -> None:
        super().__post_init__()
        layer: Any = self
        layer.axis = parse_axis(self.kind, layer.axis)
        if "epsilon" in vars(self):
            layer.epsilon = number_between(self.kind, "epsilon", layer.epsilon, 0.0)

    @property
    def rows_independent(self) -> bool:
        """Whether no axis can be the batch axis."""
        return within_rows(self.axis)

    def draw_params(self, key: Key, shape: Shape) -> Params:
        """Return the weights, which have the sizes of the normalized axes."""
        axes = positive_axes(self.kind, self.axis, shape)
        return self.draw_scales(key, tuple(shape[axis] for axis in axes))

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the normalized inputs."""
        axes = positive_axes(self.kind, self.axis, values.shape)
        sizes = tuple(values.shape[axis] for axis in axes)
        for weight in params.values():
            if weight.shape != sizes:
                raise ValueError(
                    f"`{self.kind}` was built for sizes {weight.shape} on axis {self.axis}, "
                    f"received inputs of shape {tuple(values.shape)}."
                )
        outputs = self.normalize(at_least_float32(values), axes)
        outputs = self.rescale(params, outputs, broadcast_shape(axes, values.shape))
        return outputs.astype(values.dtype)

    def normalize(self, values: Array, axes: tuple[int, ...]) -> Array:
        """Return the values normalized along the axes."""
        raise NotImplementedError(f"`{self.kind}` defines no `normalize`.")

    def draw_scales(self, key: Key, sizes: Shape) -> Params:
        """Return weights with the sizes of the normalized axes."""
        return {}

    def rescale(self, params: Params, values: Array, shape: Shape) -> Array:
        """Return the values after the weights, reshaped to `shape`, are applied."""
        return values


class AffineNormalization(PerSampleNormalization):
    """Base of the layers with the weights `gamma` and `beta`: fields `scale`, `center` and so on.

    A subclass defines `normalize`.
    """

    def draw_scales(self, key: Key, sizes: Shape) -> Params:
        """Return `gamma` and `beta`."""
        return init_gamma_and_beta(self, sizes, *jax.random.split(key))

    def rescale(self, params: Params, values: Array, shape: Shape) -> Array:
        """Return `gamma * values + beta`."""
        if self.scale:
            values = values * params["gamma"].reshape(shape)
        if self.center:
            values = values + params["beta"].reshape(shape)
        return values


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
        params["gamma"] = initializers.draw(
            layer.gamma_initializer, gamma_key, shape, layer.variable_dtype
        )
    if layer.center:
        params["beta"] = initializers.draw(
            layer.beta_initializer, beta_key, shape, layer.variable_dtype
        )
    return params
