"""The cells: plain, LSTM and GRU."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.layers.recurrent.cell import Cell, CellStep, projected
from fjax.typing import Array, Identifier, Key, Params


class SimpleRNNCell(Cell):
    """One step of `SimpleRNN`: `activation(inputs @ kernel + bias + hidden @ recurrent_kernel)`.

    Args:
        units: The size of the output, which is the state.
        activation: Applied to the sum.
        use_bias: Whether to add a bias.
        kernel_initializer: Draws the kernel, `(features, units)`.
        recurrent_initializer: Draws the recurrent kernel, `(units, units)`.
        bias_initializer: Draws the bias, `(units,)`.
        kernel_regularizer: Charges for the kernel, in the loss; None charges nothing.
        recurrent_regularizer: Charges for the recurrent kernel.
        bias_regularizer: Charges for the bias.
        kernel_constraint: Applied to the kernel after each step of training.
        recurrent_constraint: Applied to the recurrent kernel likewise.
        bias_constraint: Applied to the bias likewise.
        dropout: The share of the inputs that is dropped in training, the same in all steps.
        recurrent_dropout: The share of the hidden state that is dropped, likewise.
        seed: Folded into the key that dropout draws from.

    Shapes: `(batch, features)` and a state `(batch, units)` to the output and the next state.

    Raises:
        ValueError: `units` is not positive, or a share is outside [0, 1).

    Source: Keras's page "SimpleRNNCell layer".

    >>> cell, inputs, hidden = SimpleRNNCell(4), jnp.ones((2, 3)), jnp.zeros((2, 4))
    >>> params, state = cell.init(jax.random.key(0), inputs, hidden)
    >>> (output, hidden), _ = cell.apply(params, state, inputs, hidden)
    >>> output.shape, bool((output == hidden).all())
    ((2, 4), True)
    """

    units: int
    activation: Identifier = "tanh"
    use_bias: bool = True
    kernel_initializer: Identifier = "glorot_uniform"
    recurrent_initializer: Identifier = "orthogonal"
    bias_initializer: Identifier = "zeros"
    kernel_regularizer: Identifier = None
    recurrent_regularizer: Identifier = None
    bias_regularizer: Identifier = None
    kernel_constraint: Identifier = None
    recurrent_constraint: Identifier = None
    bias_constraint: Identifier = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int | None = None

    def step_function(
        self, params: Params, values: Array, key: Key | None, training: bool
    ) -> CellStep:
        """Return the step, for inputs like these."""
        self._check_features(params, values)
        dropped, recurrent_dropped = self._masks(params, values, key, training, 1)
        bias = params.get("bias", 0)

        def step(values: Array, states: list[Array]) -> tuple[Array, list[Array]]:
            entering = projected(values, params["kernel"], dropped, 1) + bias
            staying = projected(states[0], params["recurrent_kernel"], recurrent_dropped, 1)
            hidden = self.activation(entering + staying)
            return hidden, [hidden]

        return step


class LSTMCell(Cell):
    """One step of `LSTM`: a hidden state, and a carry that gates write and read.

    With the gates i, f and o, in `[0, 1]` by `recurrent_activation`, and a candidate g:
    `carry = f * carry + i * g` and `hidden = o * activation(carry)`.

    Args:
        units: The size of the output, of the hidden state and of the carry.
        activation: Of the candidate and of what is put out.
        recurrent_activation: Of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Draws the kernel, `(features, 4 * units)`: for i, f, g and o.
        recurrent_initializer: Draws the recurrent kernel, `(units, 4 * units)`.
        bias_initializer: Draws the bias, `(4 * units,)`.
        unit_forget_bias: Whether the bias of the forget gate begins as 1.
        kernel_regularizer: Charges for the kernel, in the loss; None charges nothing.
        recurrent_regularizer: Charges for the recurrent kernel.
        bias_regularizer: Charges for the bias.
        kernel_constraint: Applied to the kernel after each step of training.
        recurrent_constraint: Applied to the recurrent kernel likewise.
        bias_constraint: Applied to the bias likewise.
        dropout: The share of the inputs that is dropped in training, the same in all steps.
        recurrent_dropout: The share of the hidden state that is dropped, likewise.
        seed: Folded into the key that dropout draws from.

    Shapes: `(batch, features)` and two states `(batch, units)` to the output and the next states.

    Raises:
        ValueError: `units` is not positive, or a share is outside [0, 1).

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997); Keras's page
    "LSTMCell layer".

    >>> cell, inputs = LSTMCell(4), jnp.ones((2, 3))
    >>> states = cell.get_initial_state(batch_size=2)
    >>> params, state = cell.init(jax.random.key(0), inputs, states)
    >>> (output, states), _ = cell.apply(params, state, inputs, states)
    >>> output.shape, len(states)
    ((2, 4), 2)
    """

    units: int
    activation: Identifier = "tanh"
    recurrent_activation: Identifier = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Identifier = "glorot_uniform"
    recurrent_initializer: Identifier = "orthogonal"
    bias_initializer: Identifier = "zeros"
    unit_forget_bias: bool = True
    kernel_regularizer: Identifier = None
    recurrent_regularizer: Identifier = None
    bias_regularizer: Identifier = None
    kernel_constraint: Identifier = None
    recurrent_constraint: Identifier = None
    bias_constraint: Identifier = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int | None = None

    gates: ClassVar[int] = 4

    @property
    def state_size(self) -> list[int]:
        """The sizes of the hidden state and the carry."""
        return [self.units, self.units]

    def step_function(
        self, params: Params, values: Array, key: Key | None, training: bool
    ) -> CellStep:
        """Return the step, for inputs like these."""
        self._check_features(params, values)
        dropped, recurrent_dropped = self._masks(params, values, key, training, 4)
        bias, gate = params.get("bias", 0), self.recurrent_activation

        def step(values: Array, states: list[Array]) -> tuple[Array, list[Array]]:
            hidden, carry = states
            parts = projected(values, params["kernel"], dropped, 4)
            parts = parts + projected(hidden, params["recurrent_kernel"], recurrent_dropped, 4)
            i, f, g, o = jnp.split(parts + bias, 4, axis=-1)
            carry = gate(f) * carry + gate(i) * self.activation(g)
            hidden = gate(o) * self.activation(carry)
            return hidden, [hidden, carry]

        return step

    def _first_bias(self, key: Key) -> Array:
        if not self.unit_forget_bias:
            return super()._first_bias(key)
        keys, units = jax.random.split(key), self.units
        first = initializers.draw(self.bias_initializer, keys[0], (units,))
        rest = initializers.draw(self.bias_initializer, keys[1], (2 * units,))
        return jnp.concatenate([first, jnp.ones(units), rest])


class GRUCell(Cell):
    """One step of `GRU`: a hidden state that gates renew in part.

    With the gates z and r, in `[0, 1]` by `recurrent_activation`, and a candidate g that sees the
    hidden state through r: `hidden = z * hidden + (1 - z) * g`.

    Args:
        units: The size of the output, which is the state.
        activation: Of the candidate.
        recurrent_activation: Of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Draws the kernel, `(features, 3 * units)`: for z, r and g.
        recurrent_initializer: Draws the recurrent kernel, `(units, 3 * units)`.
        bias_initializer: Draws the bias, `(2, 3 * units)`, of the inputs and of the hidden state;
            without `reset_after` `(3 * units,)`.
        kernel_regularizer: Charges for the kernel, in the loss; None charges nothing.
        recurrent_regularizer: Charges for the recurrent kernel.
        bias_regularizer: Charges for the bias.
        kernel_constraint: Applied to the kernel after each step of training.
        recurrent_constraint: Applied to the recurrent kernel likewise.
        bias_constraint: Applied to the bias likewise.
        dropout: The share of the inputs that is dropped in training, the same in all steps.
        recurrent_dropout: The share of the hidden state that is dropped, likewise.
        reset_after: Whether r acts after the recurrent kernel (as in cuDNN), or before it.
        seed: Folded into the key that dropout draws from.

    Shapes: `(batch, features)` and a state `(batch, units)` to the output and the next state.

    Raises:
        ValueError: `units` is not positive, or a share is outside [0, 1).

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014),
    https://arxiv.org/abs/1406.1078; Keras's page "GRUCell layer".

    >>> cell, inputs, hidden = GRUCell(4), jnp.ones((2, 3)), jnp.zeros((2, 4))
    >>> params, state = cell.init(jax.random.key(0), inputs, hidden)
    >>> (output, hidden), _ = cell.apply(params, state, inputs, hidden)
    >>> output.shape, params["bias"].shape
    ((2, 4), (2, 12))
    """

    units: int
    activation: Identifier = "tanh"
    recurrent_activation: Identifier = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Identifier = "glorot_uniform"
    recurrent_initializer: Identifier = "orthogonal"
    bias_initializer: Identifier = "zeros"
    kernel_regularizer: Identifier = None
    recurrent_regularizer: Identifier = None
    bias_regularizer: Identifier = None
    kernel_constraint: Identifier = None
    recurrent_constraint: Identifier = None
    bias_constraint: Identifier = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    reset_after: bool = True
    seed: int | None = None

    gates: ClassVar[int] = 3

    def step_function(
        self, params: Params, values: Array, key: Key | None, training: bool
    ) -> CellStep:
        """Return the step, for inputs like these."""
        self._check_features(params, values)
        dropped, recurrent_dropped = self._masks(params, values, key, training, 3)
        bias, recurrent_bias = self._biases(params)
        kernel, recurrent_kernel = params["kernel"], params["recurrent_kernel"]
        gate, two = self.recurrent_activation, 2 * self.units

        def step(values: Array, states: list[Array]) -> tuple[Array, list[Array]]:
            (hidden,) = states
            z, r, g = jnp.split(projected(values, kernel, dropped, 3) + bias, 3, axis=-1)
            if self.reset_after:
                staying = projected(hidden, recurrent_kernel, recurrent_dropped, 3)
                staying_z, staying_r, staying_g = jnp.split(staying + recurrent_bias, 3, axis=-1)
                z, r = gate(z + staying_z), gate(r + staying_r)
                candidate = self.activation(g + r * staying_g)
            else:
                of_gates, of_candidate = _halves(recurrent_dropped)
                staying = projected(hidden, recurrent_kernel[:, :two], of_gates, 2)
                staying_z, staying_r = jnp.split(staying, 2, axis=-1)
                z, r = gate(z + staying_z), gate(r + staying_r)
                reset = projected(r * hidden, recurrent_kernel[:, two:], of_candidate, 1)
                candidate = self.activation(g + reset)
            hidden = z * hidden + (1 - z) * candidate
            return hidden, [hidden]

        return step

    def _first_bias(self, key: Key) -> Array:
        shape: tuple[int, ...] = (3 * self.units,)
        shape = (2, *shape) if self.reset_after else shape
        return initializers.draw(self.bias_initializer, key, shape)

    def _biases(self, params: Params) -> tuple[Any, Any]:
        """Return the bias of the inputs and that of the hidden state."""
        if "bias" not in params:
            return 0, 0
        return tuple(params["bias"]) if self.reset_after else (params["bias"], 0)


def _halves(mask: Array | None) -> tuple[Array | None, Array | None]:
    """Return the masks of the two gates, and of the candidate."""
    return (None, None) if mask is None else (mask[:2], mask[2:])
