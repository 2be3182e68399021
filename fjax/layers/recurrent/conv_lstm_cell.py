"""The cell of the convolutional LSTMs."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.core.layer import Layer
from fjax.layers.array_layer import resolve_functions
from fjax.layers.random_layer import require_key
from fjax.layers.recurrent.cell import dropout_mask
from fjax.lowering import convolution
from fjax.typing import Array, Identifier, Key, Params, Shape, Spec, State

GATES = 4


class ConvLSTMCell(Layer):
    """One step of a convolutional LSTM: gates i, f and o and the candidate g are convolutions.

    `carry = f * carry + i * g` and `hidden = o * activation(carry)`. The layer that runs the cell
    checks the fields, and has the regularizers and constraints; see `ConvLSTM2D` for the fields.

    >>> cell = ConvLSTMCell(2, (3,), (1,), "valid", "channels_last", (1,))
    >>> values, states = jnp.ones((4, 8, 3)), [jnp.zeros((4, 6, 2)), jnp.zeros((4, 6, 2))]
    >>> params, state = cell.init(jax.random.key(0), values, states)
    >>> (output, _), _ = cell.apply(params, state, values, states)
    >>> params["kernel"].shape, output.shape
    ((3, 3, 8), (4, 6, 2))
    """

    filters: int
    kernel_size: Shape
    strides: Shape
    padding: str
    data_format: str
    dilation_rate: Shape
    activation: Identifier = "tanh"
    recurrent_activation: Identifier = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Identifier = "glorot_uniform"
    recurrent_initializer: Identifier = "orthogonal"
    bias_initializer: Identifier = "zeros"
    unit_forget_bias: bool = True
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        resolve_functions(self)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the kernels and the bias for steps of a shape, batch axis included."""
        channels, columns = specs[0].shape[self._channel_axis()], GATES * self.filters
        keys, draw = jax.random.split(key, 3), self._draw
        kernel, recurrent = (
            (*self.kernel_size, count, columns) for count in (channels, self.filters)
        )
        params = {
            "kernel": draw(self.kernel_initializer, keys[0], kernel),
            "recurrent_kernel": draw(self.recurrent_initializer, keys[1], recurrent),
        }
        if self.use_bias:
            params["bias"] = self._draw_bias(keys[2])
        return params, {}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[tuple[Array, list[Array]], State]:
        """Return the output and the next states for one step and a list of states."""
        values, (hidden, carry) = inputs
        mask, recurrent_mask = self._dropout_masks(values, hidden, key, training)
        sums = self._convolve(values, params["kernel"], mask)
        if self.use_bias:
            bias = params["bias"]
            if self.data_format == "channels_first":
                bias = bias.reshape(-1, *[1] * len(self.kernel_size))
            sums = sums + bias
        sums = sums + self._convolve_hidden(hidden, params["recurrent_kernel"], recurrent_mask)
        gate = self.recurrent_activation
        i, f, g, o = jnp.split(sums, GATES, axis=self._channel_axis())
        carry = gate(f) * carry + gate(i) * self.activation(g)
        hidden = gate(o) * self.activation(carry)
        return (hidden, [hidden, carry]), state

    def state_shape(self, shape: Shape) -> Shape:
        """Return the shape of each state for steps of a shape, batch axis included."""
        channels = shape[self._channel_axis()]
        kernel = jax.ShapeDtypeStruct((*self.kernel_size, channels, self.filters), jnp.float32)
        values = jax.ShapeDtypeStruct(shape, jnp.float32)
        return tuple(jax.eval_shape(lambda x, k: self._convolve(x, k, None), values, kernel).shape)

    def _convolve(self, values: Array, kernel: Array, mask: Array | None) -> Array:
        """Return the convolution of the inputs, all gates side by side."""
        return self._by_gate(
            values, kernel, mask,
            strides=self.strides, padding=self.padding, dilation=self.dilation_rate,
        )  # fmt: skip

    def _convolve_hidden(self, hidden: Array, kernel: Array, mask: Array | None) -> Array:
        """Return the convolution of the hidden state, which keeps its size."""
        ones = (1,) * len(self.kernel_size)
        return self._by_gate(hidden, kernel, mask, strides=ones, padding="same", dilation=ones)

    def _by_gate(self, values: Array, kernel: Array, mask: Array | None, **windows: Any) -> Array:
        """Return a convolution; with dropout each gate has its own mask, `(gates, batch, …)`."""
        form = {**windows, "data_format": self.data_format}
        if mask is None:
            return convolution(values, kernel, **form)
        blocks = jnp.split(kernel, GATES, axis=-1)
        parts = [convolution(values * m, b, **form) for m, b in zip(mask, blocks, strict=True)]
        return jnp.concatenate(parts, axis=self._channel_axis())

    def _dropout_masks(
        self, values: Array, hidden: Array, key: Key | None, training: bool
    ) -> tuple[Array | None, Array | None]:
        """Return the factors of inputs and hidden state; equal keys give equal factors."""
        if not training or (self.dropout == 0.0 and self.recurrent_dropout == 0.0):
            return None, None
        keys = jax.random.split(require_key("ConvLSTM", key, self.seed))
        return (
            dropout_mask(keys[0], self.dropout, (GATES, *values.shape), values.dtype),
            dropout_mask(keys[1], self.recurrent_dropout, (GATES, *hidden.shape), hidden.dtype),
        )

    def _draw(self, initializer: Any, key: Key, shape: Shape) -> Array:
        return initializers.draw(initializer, key, shape, self.variable_dtype)

    def _draw_bias(self, key: Key) -> Array:
        draw, filters = self._draw, self.filters
        if not self.unit_forget_bias:
            return draw(self.bias_initializer, key, (GATES * filters,))
        keys = jax.random.split(key)
        before = draw(self.bias_initializer, keys[0], (filters,))
        after = draw(self.bias_initializer, keys[1], (2 * filters,))
        return jnp.concatenate([before, jnp.ones(filters), after])

    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1
