"""Depthwise convolution layers, which convolve each channel separately."""

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


class DepthwiseConvolution(Layer):
    """Base class of the depthwise convolution layers; `rank` is the number of spatial axes."""

    rows_independent = True

    rank: ClassVar[int]
    _weights_of_fields: ClassVar[Mapping[str, str]] = {"depthwise": "kernel"}

    kernel_size: Sizes
    strides: Sizes = 1
    padding: str = "valid"
    depth_multiplier: int = 1
    data_format: Identifier = "channels_last"
    dilation_rate: Sizes = 1
    activation: Identifier = "linear"
    use_bias: bool = True
    depthwise_initializer: Identifier = "glorot_uniform"
    bias_initializer: Identifier = "zeros"
    depthwise_regularizer: Identifier = None
    bias_regularizer: Identifier = None
    activity_regularizer: Identifier = None
    depthwise_constraint: Identifier = None
    bias_constraint: Identifier = None

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        self.kernel_size = resolve_sizes(owner, "kernel_size", self.kernel_size, self.rank)
        self.strides = resolve_sizes(owner, "strides", self.strides, self.rank)
        self.dilation_rate = resolve_sizes(owner, "dilation_rate", self.dilation_rate, self.rank)
        self.padding = resolve_padding(owner, self.padding)
        self.depth_multiplier = integer_at_least(
            owner, "depth_multiplier", self.depth_multiplier, 1
        )
        self.data_format = resolve_data_format(owner, self.data_format) or "channels_last"
        self.activation = activations.get(self.activation)
        self.depthwise_initializer = initializers.get(self.depthwise_initializer)
        self.bias_initializer = initializers.get(self.bias_initializer)
        check_strides(owner, self.strides, self.dilation_rate)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the kernel and the bias."""
        shape = single_input(type(self).__name__, specs).shape
        self._check_inputs(shape)
        channels = channel_count(shape, self.data_format)
        kernel_key, bias_key = jax.random.split(key)
        kernel_shape = (*self.kernel_size, channels, self.depth_multiplier)
        params = {"kernel": initializers.draw(self.depthwise_initializer, kernel_key, kernel_shape)}
        if self.use_bias:
            bias_shape = (channels * self.depth_multiplier,)
            params["bias"] = initializers.draw(self.bias_initializer, bias_key, bias_shape)
        return params, empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return `activation(convolution of each channel + bias)`."""
        owner = type(self).__name__
        values = single_input(owner, inputs)
        self._check_inputs(values.shape)
        kernel = params["kernel"]
        channels = kernel.shape[-2]
        check_channels(owner, values.shape, self.data_format, channels)
        outputs = convolution(
            values,
            kernel.reshape(*self.kernel_size, 1, -1),
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            groups=channels,
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


class DepthwiseConv1D(DepthwiseConvolution):
    """A depthwise convolution over one axis: each channel is convolved separately.

    Args:
        kernel_size: The size of the kernel, an integer or a tuple of one.
        strides: The step between windows, in the same form.
        padding: "valid" (no padding) or "same" (zero padding, so that strides of 1 keep the size);
            case does not matter.
        depth_multiplier: The number of output channels per input channel.
        data_format: "channels_last" (default, also for None) or "channels_first".
        dilation_rate: The distance between neighboring kernel entries; not above 1 together with
            `strides`.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias to each output channel.
        depthwise_initializer: Draws the kernel, of shape
            `(*kernel_size, channels, depth_multiplier)`.
        bias_initializer: Draws the bias, of shape `(channels * depth_multiplier,)`.
        depthwise_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        depthwise_constraint: Applied to the kernel after each training step; None for no
            constraint.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, steps, channels)` to `(batch, new_steps, channels * depth_multiplier)`.

    Raises:
        ValueError: An argument is out of range; the inputs have the wrong number of axes or
            channels, or are smaller than the window.

    Source: Keras's page "DepthwiseConv1D layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = DepthwiseConv1D(3, depth_multiplier=2)
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 10, 4)))
    >>> layer.apply(params, state, jnp.ones((2, 10, 4)))[0].shape
    (2, 8, 8)
    """

    rank: ClassVar[int] = 1


class DepthwiseConv2D(DepthwiseConvolution):
    """A depthwise convolution over height and width: each channel is convolved separately.

    Args:
        kernel_size: The size of the kernel, an integer or a tuple of two.
        strides: The step between windows, in the same form.
        padding: "valid" (no padding) or "same" (zero padding, so that strides of 1 keep the size);
            case does not matter.
        depth_multiplier: The number of output channels per input channel.
        data_format: "channels_last" (default, also for None) or "channels_first".
        dilation_rate: The distance between neighboring kernel entries; not above 1 together with
            `strides`.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias to each output channel.
        depthwise_initializer: Draws the kernel, of shape
            `(*kernel_size, channels, depth_multiplier)`.
        bias_initializer: Draws the bias, of shape `(channels * depth_multiplier,)`.
        depthwise_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        depthwise_constraint: Applied to the kernel after each training step; None for no
            constraint.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, height, width, channels)` to
    `(batch, new_height, new_width, channels * depth_multiplier)`.

    Raises:
        ValueError: An argument is out of range; the inputs have the wrong number of axes or
            channels, or are smaller than the window.

    Source: Keras's page "DepthwiseConv2D layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = DepthwiseConv2D(3, padding="same")
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 8, 8, 4)))
    >>> params["kernel"].shape, layer.apply(params, state, jnp.ones((2, 8, 8, 4)))[0].shape
    ((3, 3, 4, 1), (2, 8, 8, 4))
    """

    rank: ClassVar[int] = 2

    strides: Sizes = (1, 1)
    dilation_rate: Sizes = (1, 1)
