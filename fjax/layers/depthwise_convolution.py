"""Depthwise convolution layers: each channel has kernels of its own."""

from collections.abc import Mapping
from typing import Any, ClassVar

import jax

from fjax import activations, initializers
from fjax.core.checks import only
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import integer_at_least
from fjax.layers.spatial import checked_format
from fjax.layers.windows import (
    Sizes,
    add_bias,
    channels_of,
    check_channels,
    check_inputs,
    check_strides,
    checked_padding,
    each_axis,
)
from fjax.lowering import convolution
from fjax.typing import Array, Identifier, Key, Params, Spec, State


class DepthwiseConvolution(Layer):
    """What the depthwise convolution layers share; `rank` is the number of their spatial axes."""

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
        self.kernel_size = each_axis(owner, "kernel_size", self.kernel_size, self.rank)
        self.strides = each_axis(owner, "strides", self.strides, self.rank)
        self.dilation_rate = each_axis(owner, "dilation_rate", self.dilation_rate, self.rank)
        self.padding = checked_padding(owner, self.padding)
        self.depth_multiplier = integer_at_least(
            owner, "depth_multiplier", self.depth_multiplier, 1
        )
        self.data_format = checked_format(owner, self.data_format) or "channels_last"
        self.activation = activations.get(self.activation)
        self.depthwise_initializer = initializers.get(self.depthwise_initializer)
        self.bias_initializer = initializers.get(self.bias_initializer)
        check_strides(owner, self.strides, self.dilation_rate)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the kernel and, if there is one, the bias."""
        shape = only(type(self).__name__, specs).shape
        self._check(shape)
        channels = channels_of(shape, self.data_format)
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
        """Return the activation of each channel's convolutions plus the bias."""
        owner = type(self).__name__
        values = only(owner, inputs)
        self._check(values.shape)
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

    def _check(self, shape: tuple[int, ...]) -> None:
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
    """A convolution of each channel alone, over one axis.

    Args:
        kernel_size: The window's size, one integer or a tuple of one.
        strides: The step between windows, likewise.
        padding: "valid" (no padding) or "same" (zeros around the inputs, so that strides of 1 keep
            their size); capital letters do as well.
        depth_multiplier: How many outputs each channel has.
        data_format: "channels_last" (also None) or "channels_first".
        dilation_rate: The step between the places of a window; strides and it cannot both be
            above 1.
        activation: Applied to the result; None, as "linear", leaves it as it is.
        use_bias: Whether to add a bias to each output channel.
        depthwise_initializer: Draws the kernel, `(*window, channels, depth_multiplier)`.
        bias_initializer: Draws the bias, of shape `(channels * depth_multiplier,)`.
        depthwise_regularizer: Charges for the kernel, in the loss; None charges nothing.
        bias_regularizer: Charges for the bias.
        activity_regularizer: Charges for the outputs, divided by the batch size.
        depthwise_constraint: Applied to the kernel after each step; None leaves it as it is.
        bias_constraint: Applied to the bias after each step.

    Shapes: `(batch, steps, channels)` to `(batch, new_steps, channels * depth_multiplier)`.

    Raises:
        ValueError: An argument is out of range; the inputs have another number of axes or channels
            than expected, or are smaller than the window.

    Source: Keras's page "DepthwiseConv1D layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = DepthwiseConv1D(3, depth_multiplier=2)
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 10, 4)))
    >>> layer.apply(params, state, jnp.ones((2, 10, 4)))[0].shape
    (2, 8, 8)
    """

    rank: ClassVar[int] = 1


class DepthwiseConv2D(DepthwiseConvolution):
    """A convolution of each channel alone, over height and width.

    Args:
        kernel_size: The window's size, one integer or two.
        strides: The step between windows, likewise.
        padding: "valid" (no padding) or "same" (zeros around the inputs, so that strides of 1 keep
            their size); capital letters do as well.
        depth_multiplier: How many outputs each channel has.
        data_format: "channels_last" (also None) or "channels_first".
        dilation_rate: The step between the places of a window; strides and it cannot both be
            above 1.
        activation: Applied to the result; None, as "linear", leaves it as it is.
        use_bias: Whether to add a bias to each output channel.
        depthwise_initializer: Draws the kernel, `(*window, channels, depth_multiplier)`.
        bias_initializer: Draws the bias, of shape `(channels * depth_multiplier,)`.
        depthwise_regularizer: Charges for the kernel, in the loss; None charges nothing.
        bias_regularizer: Charges for the bias.
        activity_regularizer: Charges for the outputs, divided by the batch size.
        depthwise_constraint: Applied to the kernel after each step; None leaves it as it is.
        bias_constraint: Applied to the bias after each step.

    Shapes: `(batch, height, width, channels)` to
    `(batch, new_height, new_width, channels * depth_multiplier)`.

    Raises:
        ValueError: An argument is out of range; the inputs have another number of axes or channels
            than expected, or are smaller than the window.

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
