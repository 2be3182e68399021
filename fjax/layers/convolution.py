"""Convolution layers, and the base class that they share."""

from typing import ClassVar

from fjax.layers.convolution_layer import ConvolutionLayer
from fjax.layers.windows import Sizes
from fjax.typing import Array, Identifier, Params, Shape


class Convolution(ConvolutionLayer):
    """Base class of the convolution layers; `rank` is the number of spatial axes."""

    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: str = "valid"
    data_format: Identifier = "channels_last"
    dilation_rate: Sizes = 1
    groups: int = 1
    activation: Identifier = "linear"
    use_bias: bool = True
    kernel_initializer: Identifier = "glorot_uniform"
    bias_initializer: Identifier = "zeros"
    kernel_regularizer: Identifier = None
    bias_regularizer: Identifier = None
    activity_regularizer: Identifier = None
    kernel_constraint: Identifier = None
    bias_constraint: Identifier = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.filters % self.groups:
            raise ValueError(
                f"`{self.kind}`: `groups` {self.groups} does not divide `filters` {self.filters}: "
                "all groups must have the same number of filters."
            )
        if self.padding == "causal" and self.data_format == "channels_first":
            raise ValueError(
                f"`{self.kind}`: `padding` 'causal' needs `data_format` 'channels_last', received "
                "'channels_first'. Move the channels with `Permute((2, 1))` before this layer."
            )

    def weight_shapes(self, shape: Shape, channels: int) -> dict[str, Shape]:
        """Return the shapes of the kernel and the bias."""
        if channels % self.groups:
            raise ValueError(
                f"`{self.kind}`: `groups` {self.groups} does not divide the {channels} channels of "
                f"inputs of shape {shape}: all groups must have the same number of channels."
            )
        kernel = (*self.kernel_size, channels // self.groups, self.filters)
        return {"kernel": kernel, "bias": (self.filters,)}

    def channels_of(self, params: Params) -> int:
        """Return the number of channels of the inputs that the kernel is for."""
        return params["kernel"].shape[-2] * self.groups

    def convolve(self, params: Params, values: Array) -> Array:
        """Return the convolution of each group of channels."""
        return self.convolution_op(values, params["kernel"])

    def convolution_op(self, inputs: Array, kernel: Array) -> Array:
        """Return the convolution of the inputs with a kernel, before bias and activation.

        A subclass may override it, to change the kernel, or call it in its `call`.
        """
        return self.convolve_windows(inputs, kernel, self.groups)


class Conv1D(Convolution):
    """A convolution over one axis, such as time.

    Args:
        filters: The number of output channels.
        kernel_size: The size of the kernel, an integer or a tuple of one.
        strides: The step between windows, in the same form.
        padding: "valid" (no padding), "same" (zero padding, so that strides of 1 keep the size) or
            "causal" (zeros before the first step only, so that no output depends on a later step);
            case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".
        dilation_rate: The distance between neighboring kernel entries; not above 1 together with
            `strides`.
        groups: The number of groups into which channels and filters are split; each group is
            convolved separately.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias to each filter.
        kernel_initializer: Draws the kernel, of shape `(kernel_size, channels // groups, filters)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        kernel_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step; None for no constraint.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, steps, channels)` to `(batch, new_steps, filters)`.

    Raises:
        ValueError: An argument is out of range; `groups` does not divide the filters or the
            channels; the inputs have the wrong number of axes or channels, or are smaller than the
            window.

    Source: Keras's page "Conv1D layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = Conv1D(8, 3, padding="causal")
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 10, 4)))
    >>> layer.apply(params, state, jnp.ones((2, 10, 4)))[0].shape
    (2, 10, 8)
    """

    rank: ClassVar[int] = 1
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same", "causal")


class Conv2D(Convolution):
    """A convolution over two axes, such as the height and width of images.

    Args:
        filters: The number of output channels.
        kernel_size: The size of the kernel, an integer or a tuple of two.
        strides: The step between windows, in the same form.
        padding: "valid" (no padding) or "same" (zero padding, so that strides of 1 keep the size);
            case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".
        dilation_rate: The distance between neighboring kernel entries; not above 1 together with
            `strides`.
        groups: The number of groups into which channels and filters are split; each group is
            convolved separately.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias to each filter.
        kernel_initializer: Draws the kernel, of shape
            `(*kernel_size, channels // groups, filters)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        kernel_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step; None for no constraint.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument is out of range; `groups` does not divide the filters or the
            channels; the inputs have the wrong number of axes or channels, or are smaller than the
            window.

    Source: Keras's page "Conv2D layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = Conv2D(32, 3, activation="relu")
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 28, 28, 1)))
    >>> params["kernel"].shape, layer.apply(params, state, jnp.ones((2, 28, 28, 1)))[0].shape
    ((3, 3, 1, 32), (2, 26, 26, 32))
    """

    rank: ClassVar[int] = 2

    strides: Sizes = (1, 1)
    dilation_rate: Sizes = (1, 1)


class Conv3D(Convolution):
    """A convolution over three axes, such as those of volumes or videos.

    Args:
        filters: The number of output channels.
        kernel_size: The size of the kernel, an integer or a tuple of three.
        strides: The step between windows, in the same form.
        padding: "valid" (no padding) or "same" (zero padding, so that strides of 1 keep the size);
            case does not matter.
        data_format: "channels_last" (default, also for None) or "channels_first".
        dilation_rate: The distance between neighboring kernel entries; not above 1 together with
            `strides`.
        groups: The number of groups into which channels and filters are split; each group is
            convolved separately.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias to each filter.
        kernel_initializer: Draws the kernel, of shape
            `(*kernel_size, channels // groups, filters)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        kernel_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step; None for no constraint.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, depth, height, width, channels)` to
    `(batch, new_depth, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument is out of range; `groups` does not divide the filters or the
            channels; the inputs have the wrong number of axes or channels, or are smaller than the
            window.

    Source: Keras's page "Conv3D layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = Conv3D(4, (1, 3, 3), padding="same")
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 4, 8, 8, 1)))
    >>> layer.apply(params, state, jnp.ones((2, 4, 8, 8, 1)))[0].shape
    (2, 4, 8, 8, 4)
    """

    rank: ClassVar[int] = 3

    strides: Sizes = (1, 1, 1)
    dilation_rate: Sizes = (1, 1, 1)


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
