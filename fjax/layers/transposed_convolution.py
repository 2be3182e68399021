"""Transposed convolution layers, which enlarge their inputs."""

from typing import ClassVar

from fjax.layers.convolution_layer import ConvolutionLayer
from fjax.layers.spatial import check_rank
from fjax.layers.windows import Sizes, resolve_sizes
from fjax.lowering import transposed_convolution
from fjax.typing import Array, Identifier, Params, Shape


class TransposedConvolution(ConvolutionLayer):
    """Base class of the transposed convolution layers; `rank` is the number of spatial axes."""

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: str = "valid"
    output_padding: Sizes = None
    data_format: Identifier = "channels_last"
    dilation_rate: Sizes = 1
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
        if self.output_padding is not None:
            added = resolve_sizes(self.kind, "output_padding", self.output_padding, self.rank, 0)
            if any(size >= stride for size, stride in zip(added, self.strides, strict=True)):
                raise ValueError(
                    f"`{self.kind}`: `output_padding` {added} must be below `strides` "
                    f"{self.strides} on each axis; the kernel would not reach further entries."
                )
            self.output_padding = added

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless inputs have the axes that the layer needs."""
        check_rank(self.kind, shape, self.rank, self.data_format)

    def weight_shapes(self, shape: Shape, channels: int) -> dict[str, Shape]:
        """Return the shapes of the kernel and the bias."""
        return {"kernel": (*self.kernel_size, self.filters, channels), "bias": (self.filters,)}

    def channels_of(self, params: Params) -> int:
        """Return the number of channels of the inputs that the kernel is for."""
        return params["kernel"].shape[-1]

    def convolve(self, params: Params, values: Array) -> Array:
        """Return the transposed convolution."""
        return transposed_convolution(
            values,
            params["kernel"],
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation_rate,
            data_format=self.data_format,
        )


class Conv1DTranspose(TransposedConvolution):
    """A transposed convolution over one axis, such as time.

    Args:
        filters: The number of output channels.
        kernel_size: The size of the kernel, an integer or a tuple of one.
        strides: The step between copies of the kernel in the outputs, in the same form.
        padding: "valid" (the outputs contain every copy of the kernel) or "same" (the outputs have
            `strides` times the size of the inputs); case does not matter.
        output_padding: The number of entries added at the end of the smallest possible outputs,
            less than `strides`; None derives it from `padding`.
        data_format: "channels_last" (default, also for None) or "channels_first".
        dilation_rate: The distance between neighboring kernel entries; not above 1 together with
            `strides`.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias to each filter.
        kernel_initializer: Draws the kernel, of shape `(*kernel_size, filters, channels)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        kernel_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step; None for no constraint.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, steps, channels)` to `(batch, new_steps, filters)`.

    Raises:
        ValueError: An argument is out of range; `output_padding` is not below `strides`; the inputs
            have the wrong number of axes or channels, or the outputs would be empty.

    Source: Keras's page "Conv1DTranspose layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = Conv1DTranspose(8, 3, strides=2)
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 5, 4)))
    >>> layer.apply(params, state, jnp.ones((2, 5, 4)))[0].shape
    (2, 11, 8)
    """

    rank: ClassVar[int] = 1


class Conv2DTranspose(TransposedConvolution):
    """A transposed convolution over height and width, as in decoders of images.

    Args:
        filters: The number of output channels.
        kernel_size: The size of the kernel, an integer or a tuple of two.
        strides: The step between copies of the kernel in the outputs, in the same form.
        padding: "valid" (the outputs contain every copy of the kernel) or "same" (the outputs have
            `strides` times the size of the inputs); case does not matter.
        output_padding: The number of entries added at the end of the smallest possible outputs,
            less than `strides`; None derives it from `padding`.
        data_format: "channels_last" (default, also for None) or "channels_first".
        dilation_rate: The distance between neighboring kernel entries; not above 1 together with
            `strides`.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias to each filter.
        kernel_initializer: Draws the kernel, of shape `(*kernel_size, filters, channels)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        kernel_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step; None for no constraint.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument is out of range; `output_padding` is not below `strides`; the inputs
            have the wrong number of axes or channels, or the outputs would be empty.

    Source: Keras's page "Conv2DTranspose layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = Conv2DTranspose(8, 3, strides=2, padding="same")
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 7, 7, 4)))
    >>> params["kernel"].shape, layer.apply(params, state, jnp.ones((2, 7, 7, 4)))[0].shape
    ((3, 3, 8, 4), (2, 14, 14, 8))
    """

    rank: ClassVar[int] = 2

    strides: Sizes = (1, 1)
    dilation_rate: Sizes = (1, 1)


class Conv3DTranspose(TransposedConvolution):
    """A transposed convolution over three axes, such as those of volumes.

    As a positional argument `output_padding` precedes `data_format`, as in the 1D and 2D layers; in
    Keras the 3D layer has the opposite order.

    Args:
        filters: The number of output channels.
        kernel_size: The size of the kernel, an integer or a tuple of three.
        strides: The step between copies of the kernel in the outputs, in the same form.
        padding: "valid" (the outputs contain every copy of the kernel) or "same" (the outputs have
            `strides` times the size of the inputs); case does not matter.
        output_padding: The number of entries added at the end of the smallest possible outputs,
            less than `strides`; None derives it from `padding`.
        data_format: "channels_last" (default, also for None) or "channels_first".
        dilation_rate: The distance between neighboring kernel entries; not above 1 together with
            `strides`.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias to each filter.
        kernel_initializer: Draws the kernel, of shape `(*kernel_size, filters, channels)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        kernel_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step; None for no constraint.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, depth, height, width, channels)` to
    `(batch, new_depth, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument is out of range; `output_padding` is not below `strides`; the inputs
            have the wrong number of axes or channels, or the outputs would be empty.

    Source: Keras's page "Conv3DTranspose layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = Conv3DTranspose(2, 2, strides=2)
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 3, 3, 3, 4)))
    >>> layer.apply(params, state, jnp.ones((2, 3, 3, 3, 4)))[0].shape
    (2, 6, 6, 6, 2)
    """

    rank: ClassVar[int] = 3

    strides: Sizes = (1, 1, 1)
    dilation_rate: Sizes = (1, 1, 1)


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
