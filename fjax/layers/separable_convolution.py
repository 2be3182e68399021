"""Separable convolution layers: a depthwise convolution, then a pointwise one."""

from collections.abc import Mapping
from typing import Any, ClassVar

import jax

from fjax import activations, initializers
from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import integer_at_least
from fjax.layers.spatial import resolve_data_format
from fjax.layers.windows import (
    Sizes,
    add_bias,
    channel_count,
    check_channels,
    check_inputs,
    check_strides,
    resolve_padding,
    resolve_sizes,
)
from fjax.lowering import convolution
from fjax.typing import Array, Identifier, Key, Params, Spec, State


class SeparableConvolution(Layer):
    """Base class of the separable convolution layers; `rank` is the number of spatial axes."""

    rows_independent = True

    rank: ClassVar[int]
    _weights_of_fields: ClassVar[Mapping[str, str]] = {
        "depthwise": "depthwise_kernel",
        "pointwise": "pointwise_kernel",
    }

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: str = "valid"
    data_format: Identifier = "channels_last"
    dilation_rate: Sizes = 1
    depth_multiplier: int = 1
    activation: Identifier = "linear"
    use_bias: bool = True
    depthwise_initializer: Identifier = "glorot_uniform"
    pointwise_initializer: Identifier = "glorot_uniform"
    bias_initializer: Identifier = "zeros"
    depthwise_regularizer: Identifier = None
    pointwise_regularizer: Identifier = None
    bias_regularizer: Identifier = None
    activity_regularizer: Identifier = None
    depthwise_constraint: Identifier = None
    pointwise_constraint: Identifier = None
    bias_constraint: Identifier = None

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        self.filters = integer_at_least(owner, "filters", self.filters, 1)
        self.kernel_size = resolve_sizes(owner, "kernel_size", self.kernel_size, self.rank)
        self.strides = resolve_sizes(owner, "strides", self.strides, self.rank)
        self.dilation_rate = resolve_sizes(owner, "dilation_rate", self.dilation_rate, self.rank)
        self.padding = resolve_padding(owner, self.padding)
        self.data_format = resolve_data_format(owner, self.data_format) or "channels_last"
        self.depth_multiplier = integer_at_least(
            owner, "depth_multiplier", self.depth_multiplier, 1
        )
        self.activation = activations.get(self.activation)
        self.depthwise_initializer = initializers.get(self.depthwise_initializer)
        self.pointwise_initializer = initializers.get(self.pointwise_initializer)
        self.bias_initializer = initializers.get(self.bias_initializer)
        check_strides(owner, self.strides, self.dilation_rate)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the two kernels and the bias."""
        shape = single_input(type(self).__name__, specs).shape
        self._check_inputs(shape)
        channels = channel_count(shape, self.data_format)
        depthwise_key, pointwise_key, bias_key = jax.random.split(key, 3)
        depthwise_shape = (*self.kernel_size, channels, self.depth_multiplier)
        pointwise_shape = (*[1] * self.rank, channels * self.depth_multiplier, self.filters)
        params = {
            "depthwise_kernel": initializers.draw(
                self.depthwise_initializer, depthwise_key, depthwise_shape
            ),
            "pointwise_kernel": initializers.draw(
                self.pointwise_initializer, pointwise_key, pointwise_shape
            ),
        }
        if self.use_bias:
            params["bias"] = initializers.draw(self.bias_initializer, bias_key, (self.filters,))
        return params, empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return `activation(pointwise convolution of the depthwise convolution + bias)`."""
        owner = type(self).__name__
        values = single_input(owner, inputs)
        self._check_inputs(values.shape)
        kernel = params["depthwise_kernel"]
        channels = kernel.shape[-2]
        check_channels(owner, values.shape, self.data_format, channels)
        depthwise_outputs = convolution(
            values,
            kernel.reshape(*self.kernel_size, 1, -1),
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            groups=channels,
            data_format=self.data_format,
        )
        outputs = convolution(
            depthwise_outputs,
            params["pointwise_kernel"],
            strides=(1,) * self.rank,
            padding="valid",
            dilation=(1,) * self.rank,
            data_format=self.data_format,
        )
        if self.use_bias:
            outputs = add_bias(outputs, params["bias"], self.data_format)
        outputs = self.activation(outputs)
        return outputs, with_penalty(self, params, state, outputs)

    def _check_inputs(self, shape: tuple[int, ...]) -> None:
        check_inputs(
            type(self).__name__,
            shape,
            self.kernel_size,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )


class SeparableConv1D(SeparableConvolution):
    """A depthwise convolution over one axis, then a pointwise one that mixes the channels.

    Args:
        filters: The number of output channels.
        kernel_size: The size of the kernel, an integer or a tuple of one.
        strides: The step between windows, in the same form.
        padding: "valid" (no padding) or "same" (zero padding, so that strides of 1 keep the size);
            case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".
        dilation_rate: The distance between neighboring kernel entries; not above 1 together with
            `strides`.
        depth_multiplier: The number of depthwise outputs per input channel.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias to each filter.
        depthwise_initializer: Draws the depthwise kernel, of shape
            `(*kernel_size, channels, depth_multiplier)`.
        pointwise_initializer: Draws the pointwise kernel, of shape
            `(1, channels * depth_multiplier, filters)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        depthwise_regularizer: Adds a penalty of the depthwise kernel to the loss; None adds none.
        pointwise_regularizer: Adds a penalty of the pointwise kernel.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        depthwise_constraint: Applied to the depthwise kernel after each training step; None for no
            constraint.
        pointwise_constraint: Applied to the pointwise kernel.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, steps, channels)` to `(batch, new_steps, filters)`.

    Raises:
        ValueError: An argument is out of range; the inputs have the wrong number of axes or
            channels, or are smaller than the window.

    Source: Keras's page "SeparableConv1D layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = SeparableConv1D(8, 3)
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 10, 4)))
    >>> layer.apply(params, state, jnp.ones((2, 10, 4)))[0].shape
    (2, 8, 8)
    """

    rank: ClassVar[int] = 1


class SeparableConv2D(SeparableConvolution):
    """A depthwise convolution over height and width, then a pointwise one that mixes the channels.

    Args:
        filters: The number of output channels.
        kernel_size: The size of the kernel, an integer or a tuple of two.
        strides: The step between windows, in the same form.
        padding: "valid" (no padding) or "same" (zero padding, so that strides of 1 keep the size);
            case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".
        dilation_rate: The distance between neighboring kernel entries; not above 1 together with
            `strides`.
        depth_multiplier: The number of depthwise outputs per input channel.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias to each filter.
        depthwise_initializer: Draws the depthwise kernel, of shape
            `(*kernel_size, channels, depth_multiplier)`.
        pointwise_initializer: Draws the pointwise kernel, of shape
            `(1, 1, channels * depth_multiplier, filters)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        depthwise_regularizer: Adds a penalty of the depthwise kernel to the loss; None adds none.
        pointwise_regularizer: Adds a penalty of the pointwise kernel.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        depthwise_constraint: Applied to the depthwise kernel after each training step; None for no
            constraint.
        pointwise_constraint: Applied to the pointwise kernel.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument is out of range; the inputs have the wrong number of axes or
            channels, or are smaller than the window.

    Source: Keras's page "SeparableConv2D layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = SeparableConv2D(8, 3, padding="same")
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 8, 8, 4)))
    >>> [params[name].shape for name in ("depthwise_kernel", "pointwise_kernel")]
    [(3, 3, 4, 1), (1, 1, 4, 8)]
    """

    rank: ClassVar[int] = 2

    strides: Sizes = (1, 1)
    dilation_rate: Sizes = (1, 1)


SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
