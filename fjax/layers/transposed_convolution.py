"""Transposed convolution layers: each input puts a copy of the kernel into larger outputs."""

from typing import Any, ClassVar

import jax

from fjax import activations, initializers
from fjax.core.checks import only
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import integer_at_least
from fjax.layers.spatial import check_rank, checked_format
from fjax.layers.windows import (
    Sizes,
    add_bias,
    channels_of,
    check_channels,
    check_strides,
    checked_padding,
    each_axis,
)
from fjax.lowering import transposed_convolution
from fjax.typing import Array, Identifier, Key, Params, Spec, State


class TransposedConvolution(Layer):
    """What the transposed convolution layers share; `rank` is the number of their spatial axes."""

    rows_independent = True

    rank: ClassVar[int]

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
        owner = type(self).__name__
        self.filters = integer_at_least(owner, "filters", self.filters, 1)
        self.kernel_size = each_axis(owner, "kernel_size", self.kernel_size, self.rank)
        self.strides = each_axis(owner, "strides", self.strides, self.rank)
        self.dilation_rate = each_axis(owner, "dilation_rate", self.dilation_rate, self.rank)
        self.padding = checked_padding(owner, self.padding)
        self.data_format = checked_format(owner, self.data_format) or "channels_last"
        self.activation = activations.get(self.activation)
        self.kernel_initializer = initializers.get(self.kernel_initializer)
        self.bias_initializer = initializers.get(self.bias_initializer)
        check_strides(owner, self.strides, self.dilation_rate)
        if self.output_padding is not None:
            extra = each_axis(owner, "output_padding", self.output_padding, self.rank, 0)
            if any(more >= stride for more, stride in zip(extra, self.strides, strict=True)):
                raise ValueError(
                    f"`{owner}`: `output_padding` {extra} must be below `strides` {self.strides} "
                    "on each axis: more would stay empty."
                )
            self.output_padding = extra

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the kernel and, if there is one, the bias."""
        owner = type(self).__name__
        shape = only(owner, specs).shape
        check_rank(owner, shape, self.rank, self.data_format)
        kernel_shape = (*self.kernel_size, self.filters, channels_of(shape, self.data_format))
        kernel_key, bias_key = jax.random.split(key)
        params = {"kernel": initializers.draw(self.kernel_initializer, kernel_key, kernel_shape)}
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
        """Return `activation(transposed_convolution(inputs, kernel) + bias)`."""
        owner = type(self).__name__
        values = only(owner, inputs)
        check_rank(owner, values.shape, self.rank, self.data_format)
        check_channels(owner, values.shape, self.data_format, params["kernel"].shape[-1])
        outputs = transposed_convolution(
            values,
            params["kernel"],
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation_rate,
            data_format=self.data_format,
        )
        if self.use_bias:
            outputs = add_bias(outputs, params["bias"], self.data_format)
        outputs = self.activation(outputs)
        return outputs, with_penalty(self, params, state, outputs)


class Conv1DTranspose(TransposedConvolution):
    """A transposed convolution over one axis, such as time.

    Args:
        filters: The number of output channels.
        kernel_size: The window's size, one integer or a tuple of one.
        strides: The step between the copies of the kernel in the outputs, likewise.
        padding: "valid" keeps all that the copies reach, "same" gives outputs of `strides` times
            the inputs' size; capital letters do as well.
        output_padding: How much is added to the shortest outputs, below `strides`; None decides by
            `padding`.
        data_format: "channels_last" (also None) or "channels_first".
        dilation_rate: The step between the places of a window; strides and it cannot both be
            above 1.
        activation: Applied to the result; None, as "linear", leaves it as it is.
        use_bias: Whether to add a bias to each filter.
        kernel_initializer: Draws the kernel, of shape `(*window, filters, channels)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        kernel_regularizer: Charges for the kernel, in the loss; None charges nothing.
        bias_regularizer: Charges for the bias.
        activity_regularizer: Charges for the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each step; None leaves it as it is.
        bias_constraint: Applied to the bias after each step.

    Shapes: `(batch, steps, channels)` to `(batch, new_steps, filters)`.

    Raises:
        ValueError: An argument is out of range; `output_padding` is not below `strides`; the inputs
            have another number of axes or channels than expected, or no output would be left.

    Source: Keras's page "Conv1DTranspose layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = Conv1DTranspose(8, 3, strides=2)
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 5, 4)))
    >>> layer.apply(params, state, jnp.ones((2, 5, 4)))[0].shape
    (2, 11, 8)
    """

    rank: ClassVar[int] = 1


class Conv2DTranspose(TransposedConvolution):
    """A transposed convolution over height and width: what decoders of images are made of.

    Args:
        filters: The number of output channels.
        kernel_size: The window's size, one integer or two.
        strides: The step between the copies of the kernel in the outputs, likewise.
        padding: "valid" keeps all that the copies reach, "same" gives outputs of `strides` times
            the inputs' size; capital letters do as well.
        output_padding: How much is added to the shortest outputs, below `strides`; None decides by
            `padding`.
        data_format: "channels_last" (also None) or "channels_first".
        dilation_rate: The step between the places of a window; strides and it cannot both be
            above 1.
        activation: Applied to the result; None, as "linear", leaves it as it is.
        use_bias: Whether to add a bias to each filter.
        kernel_initializer: Draws the kernel, of shape `(*window, filters, channels)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        kernel_regularizer: Charges for the kernel, in the loss; None charges nothing.
        bias_regularizer: Charges for the bias.
        activity_regularizer: Charges for the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each step; None leaves it as it is.
        bias_constraint: Applied to the bias after each step.

    Shapes: `(batch, height, width, channels)` to `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument is out of range; `output_padding` is not below `strides`; the inputs
            have another number of axes or channels than expected, or no output would be left.

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
    """A transposed convolution over depth, height and width, such as of volumes.

    Given by position, `output_padding` stands before `data_format` as in the others; in Keras it is
    the other way round here.

    Args:
        filters: The number of output channels.
        kernel_size: The window's size, one integer or three.
        strides: The step between the copies of the kernel in the outputs, likewise.
        padding: "valid" keeps all that the copies reach, "same" gives outputs of `strides` times
            the inputs' size; capital letters do as well.
        output_padding: How much is added to the shortest outputs, below `strides`; None decides by
            `padding`.
        data_format: "channels_last" (also None) or "channels_first".
        dilation_rate: The step between the places of a window; strides and it cannot both be
            above 1.
        activation: Applied to the result; None, as "linear", leaves it as it is.
        use_bias: Whether to add a bias to each filter.
        kernel_initializer: Draws the kernel, of shape `(*window, filters, channels)`.
        bias_initializer: Draws the bias, of shape `(filters,)`.
        kernel_regularizer: Charges for the kernel, in the loss; None charges nothing.
        bias_regularizer: Charges for the bias.
        activity_regularizer: Charges for the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each step; None leaves it as it is.
        bias_constraint: Applied to the bias after each step.

    Shapes: `(batch, depth, height, width, channels)` to
    `(batch, new_depth, new_height, new_width, filters)`.

    Raises:
        ValueError: An argument is out of range; `output_padding` is not below `strides`; the inputs
            have another number of axes or channels than expected, or no output would be left.

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
