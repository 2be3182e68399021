"""The base class of all convolution layers."""

from typing import Any, ClassVar

from fjax.errors import integer_at_least
from fjax.layers.array_layer import draw_weights
from fjax.layers.spatial import SpatialLayer
from fjax.layers.windows import check_windows_fit, resolve_padding, resolve_sizes
from fjax.lowering import convolution
from fjax.typing import Array, Key, Params, Shape


class ConvolutionLayer(SpatialLayer):
    """Base class of all convolution layers: windows, weights, bias and activation.

    A subclass lists its fields, because Keras orders them differently in each class, and defines
    `weight_shapes`, `channels_of` and `convolve`.
    """

    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("filters", "groups", "depth_multiplier"):
            if name in vars(self):
                setattr(self, name, integer_at_least(self.kind, name, getattr(self, name), 1))
        for name in ("kernel_size", "strides", "dilation_rate"):
            setattr(self, name, resolve_sizes(self.kind, name, getattr(self, name), self.rank))
        layer: Any = self
        layer.padding = resolve_padding(self.kind, layer.padding, self.paddings)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"`{self.kind}`: `strides` {self.strides} and `dilation_rate` "
                f"{self.dilation_rate} cannot both be above 1: set one of them to 1."
            )

    def weight_shapes(self, shape: Shape, channels: int) -> dict[str, Shape]:
        """Return the shapes of all weights, for inputs of a shape with this number of channels."""
        raise NotImplementedError(f"`{self.kind}` defines no `weight_shapes`.")

    def channels_of(self, params: Params) -> int:
        """Return the number of channels of the inputs that the weights are for."""
        raise NotImplementedError(f"`{self.kind}` defines no `channels_of`.")

    def convolve(self, params: Params, values: Array) -> Array:
        """Return the outputs before bias and activation."""
        raise NotImplementedError(f"`{self.kind}` defines no `convolve`.")

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless inputs have the axes that the layer needs, and fit the window."""
        super().check_shape(shape)
        check_windows_fit(
            self.kind,
            shape,
            self.kernel_size,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )

    def draw_params(self, key: Key, shape: Shape) -> Params:
        """Draw the kernels and the bias."""
        return draw_weights(self, key, self.weight_shapes(shape, self._channel_count(shape)))

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return `activation(convolution + bias)`."""
        channels, built_for = self._channel_count(values.shape), self.channels_of(params)
        if channels != built_for:
            raise ValueError(
                f"`{self.kind}` was built for {built_for} channels, received inputs of shape "
                f"{tuple(values.shape)} with {channels}; `data_format` is {self.data_format!r}."
            )
        outputs = self.convolve(params, values)
        if self.use_bias:
            bias = params["bias"]
            if self.data_format == "channels_first":
                bias = bias.reshape(-1, *[1] * self.rank)
            outputs = outputs + bias
        return self.activation(outputs)

    def convolve_windows(self, values: Array, kernel: Array, groups: int = 1) -> Array:
        """Return the convolution with a kernel, by the strides and so on of this layer."""
        return convolution(
            values,
            kernel,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
            groups=groups,
            data_format=self.data_format,
        )

    def convolve_channels(self, values: Array, kernel: Array) -> Array:
        """Return the convolution of each channel with `kernel[..., channel, :]`."""
        *window, channels, _ = kernel.shape
        return self.convolve_windows(values, kernel.reshape(*window, 1, -1), groups=channels)

    def _channel_count(self, shape: Shape) -> int:
        return shape[-1] if self.data_format == "channels_last" else shape[1]
