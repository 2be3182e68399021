"""Convolution layers, and the base class that they share."""

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


class Convolution(Layer):
    """Base class of the convolution layers; `rank` is the number of spatial axes."""

    rows_independent = True

    rank: ClassVar[int]
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
        owner = type(self).__name__
        self.filters = integer_at_least(owner, "filters", self.filters, 1)
        self.kernel_size = resolve_sizes(owner, "kernel_size", self.kernel_size, self.rank)
        self.strides = resolve_sizes(owner, "strides", self.strides, self.rank)
        self.dilation_rate = resolve_sizes(owner, "dilation_rate", self.dilation_rate, self.rank)
        self.padding = resolve_padding(owner, self.padding, self.paddings)
        self.data_format = resolve_data_format(owner, self.data_format) or "channels_last"
        self.groups = integer_at_least(owner, "groups", self.groups, 1)
        self.activation = activations.get(self.activation)
        self.kernel_initializer = initializers.get(self.kernel_initializer)
        self.bias_initializer = initializers.get(self.bias_initializer)
        check_strides(owner, self.strides, self.dilation_rate)
        if self.filters % self.groups:
            raise ValueError(
                f"`{owner}`: `groups` {self.groups} does not divide `filters` {self.filters}: "
                "all groups must have the same number of filters."
            )
        if self.padding == "causal" and self.data_format == "channels_first":
            raise ValueError(
                f"`{owner}`: `padding` 'causal' needs `data_format` 'channels_last', received "
                "'channels_first'. Move the channels with `Permute((2, 1))` before this layer."
            )

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the kernel and the bias."""
        owner = type(self).__name__
        shape = single_input(owner, specs).shape
        self._check_inputs(shape)
        channels = channel_count(shape, self.data_format)
        if channels % self.groups:
            raise ValueError(
                f"`{owner}`: `groups` {self.groups} does not divide the {channels} channels of "
                f"inputs of shape {tuple(shape)}: all groups must have the same number of channels."
            )
        kernel_shape = (*self.kernel_size, channels // self.groups, self.filters)
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
        """Return `activation(convolution(inputs, kernel) + bias)`."""
        owner = type(self).__name__
        values = single_input(owner, inputs)
        self._check_inputs(values.shape)
        built_for = params["kernel"].shape[-2] * self.groups
        check_channels(owner, values.shape, self.data_format, built_for)
        outputs = convolution(
            values,
            params["kernel"],
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            groups=self.groups,
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
