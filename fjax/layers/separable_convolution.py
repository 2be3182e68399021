"""Separable convolution layers: a depthwise convolution, then a pointwise one."""

from collections.abc import Mapping
from typing import ClassVar

from fjax.layers.convolution_layer import ConvolutionLayer
from fjax.layers.windows import Sizes
from fjax.lowering import convolution
from fjax.typing import Array, Identifier, Params, Shape


class SeparableConvolution(ConvolutionLayer):
    """Base class of the separable convolution layers; `rank` is the number of spatial axes."""

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

    def weight_shapes(self, shape: Shape, channels: int) -> dict[str, Shape]:
        """Return the shapes of the two kernels and the bias."""
        return {
            "depthwise_kernel": (*self.kernel_size, channels, self.depth_multiplier),
            "pointwise_kernel": (*[1] * self.rank, channels * self.depth_multiplier, self.filters),
            "bias": (self.filters,),
        }

    def channels_of(self, params: Params) -> int:
        """Return the number of channels of the inputs that the kernels are for."""
        return params["depthwise_kernel"].shape[-2]

    def convolve(self, params: Params, values: Array) -> Array:
        """Return the pointwise convolution of the depthwise convolution."""
        ones = (1,) * self.rank
        return convolution(
            self.convolve_channels(values, params["depthwise_kernel"]),
            params["pointwise_kernel"],
            strides=ones,
            padding="valid",
            dilation=ones,
            data_format=self.data_format,
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
