"""Depthwise convolution layers, which convolve each channel separately."""

from collections.abc import Mapping
from typing import ClassVar

from fjax.layers.convolution_layer import ConvolutionLayer
from fjax.layers.windows import Sizes
from fjax.typing import Array, Identifier, Params, Shape


class DepthwiseConvolution(ConvolutionLayer):
    """Base class of the depthwise convolution layers; `rank` is the number of spatial axes."""

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

    def weight_shapes(self, shape: Shape, channels: int) -> dict[str, Shape]:
        """Return the shapes of the kernel and the bias."""
        kernel = (*self.kernel_size, channels, self.depth_multiplier)
        return {"kernel": kernel, "bias": (channels * self.depth_multiplier,)}

    def channels_of(self, params: Params) -> int:
        """Return the number of channels of the inputs that the kernel is for."""
        return params["kernel"].shape[-2]

    def convolve(self, params: Params, values: Array) -> Array:
        """Return the convolution of each channel."""
        return self.convolve_channels(values, params["kernel"])


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
