"""The recurrent cells: simple, LSTM and GRU."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.layers.recurrent.cell import Cell, DropoutMasks, project
from fjax.typing import Array, Identifier, Key, Params


class SimpleRNNCell(Cell):
    """One step of `SimpleRNN`: `activation(inputs @ kernel + bias + hidden @ recurrent_kernel)`.

    Args:
        units: The size of the output, which is also the state.
        activation: Activation of the sum.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel, `(features, units)`.
        recurrent_initializer: Initializer of the recurrent kernel, `(units, units)`.
        bias_initializer: Initializer of the bias, `(units,)`.
        kernel_regularizer: Regularizer of the kernel; None means no penalty.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Applied to the kernel after each training step.
        recurrent_constraint: Applied to the recurrent kernel after each training step.
        bias_constraint: Applied to the bias after each training step.
        dropout: The share of the inputs to drop in training, in [0, 1); all steps drop the same
            features.
        recurrent_dropout: The share of the hidden state to drop in training, in [0, 1); all steps
            drop the same units.
        seed: Folded into the dropout key, to distinguish layers that receive the same key.

    Shapes: `(batch, features)` and a state `(batch, units)` to the output and the next state.

    Raises:
        ValueError: `units` is not positive, or a dropout rate is outside [0, 1).

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

    def compute_step(
        self, params: Params, masks: DropoutMasks, values: Array, states: list[Array]
    ) -> tuple[Array, list[Array]]:
        """Return the output and the next states."""
        mask, recurrent_mask = masks
        bias = params.get("bias", 0)
        from_inputs = project(values, params["kernel"], mask) + bias
        from_hidden = project(states[0], params["recurrent_kernel"], recurrent_mask)
        hidden = self.activation(from_inputs + from_hidden)
        return hidden, [hidden]


class LSTMCell(Cell):
    """One step of `LSTM`: a hidden state, and a carry that gates update and read.

    With gates i, f and o, computed with `recurrent_activation`, and a candidate g:
    `carry = f * carry + i * g` and `hidden = o * activation(carry)`.

    Args:
        units: The size of the output, of the hidden state and of the carry.
        activation: Activation of the candidate and of the carry in the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel, `(features, 4 * units)`: for i, f, g and o.
        recurrent_initializer: Initializer of the recurrent kernel, `(units, 4 * units)`.
        bias_initializer: Initializer of the bias, `(4 * units,)`.
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer: Regularizer of the kernel; None means no penalty.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Applied to the kernel after each training step.
        recurrent_constraint: Applied to the recurrent kernel after each training step.
        bias_constraint: Applied to the bias after each training step.
        dropout: The share of the inputs to drop in training, in [0, 1); all steps drop the same
            features.
        recurrent_dropout: The share of the hidden state to drop in training, in [0, 1); all steps
            drop the same units.
        seed: Folded into the dropout key, to distinguish layers that receive the same key.

    Shapes: `(batch, features)` and two states `(batch, units)` to the output and the next states.

    Raises:
        ValueError: `units` is not positive, or a dropout rate is outside [0, 1).

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

    def compute_step(
        self, params: Params, masks: DropoutMasks, values: Array, states: list[Array]
    ) -> tuple[Array, list[Array]]:
        """Return the output and the next states."""
        mask, recurrent_mask = masks
        bias, gate = params.get("bias", 0), self.recurrent_activation
        hidden, carry = states
        from_inputs = project(values, params["kernel"], mask)
        from_hidden = project(hidden, params["recurrent_kernel"], recurrent_mask)
        i, f, g, o = jnp.split(from_inputs + from_hidden + bias, 4, axis=-1)
        carry = gate(f) * carry + gate(i) * self.activation(g)
        hidden = gate(o) * self.activation(carry)
        return hidden, [hidden, carry]

    def _init_bias(self, key: Key) -> Array:
        if not self.unit_forget_bias:
            return super()._init_bias(key)
        keys, units = jax.random.split(key), self.units
        input_bias = initializers.draw(
            self.bias_initializer, keys[0], (units,), self.variable_dtype
        )
        forget_bias = jnp.ones(units)
        other_biases = initializers.draw(
            self.bias_initializer, keys[1], (2 * units,), self.variable_dtype
        )
        return jnp.concatenate([input_bias, forget_bias, other_biases])


class GRUCell(Cell):
    """One step of `GRU`: a hidden state that gates update in part.

    With gates z and r, computed with `recurrent_activation`, and a candidate g, in which r scales
    the contribution of the hidden state: `hidden = z * hidden + (1 - z) * g`.

    Args:
        units: The size of the output, which is also the state.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel, `(features, 3 * units)`: for z, r and g.
        recurrent_initializer: Initializer of the recurrent kernel, `(units, 3 * units)`.
        bias_initializer: Initializer of the bias, `(2, 3 * units)`: a row for the inputs and one
            for the hidden state; without `reset_after` `(3 * units,)`.
        kernel_regularizer: Regularizer of the kernel; None means no penalty.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Applied to the kernel after each training step.
        recurrent_constraint: Applied to the recurrent kernel after each training step.
        bias_constraint: Applied to the bias after each training step.
        dropout: The share of the inputs to drop in training, in [0, 1); all steps drop the same
            features.
        recurrent_dropout: The share of the hidden state to drop in training, in [0, 1); all steps
            drop the same units.
        reset_after: Whether r is applied after the recurrent kernel (as in cuDNN), or before it.
        seed: Folded into the dropout key, to distinguish layers that receive the same key.

    Shapes: `(batch, features)` and a state `(batch, units)` to the output and the next state.

    Raises:
        ValueError: `units` is not positive, or a dropout rate is outside [0, 1).

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

    def compute_step(
        self, params: Params, masks: DropoutMasks, values: Array, states: list[Array]
    ) -> tuple[Array, list[Array]]:
        """Return the output and the next states."""
        mask, recurrent_mask = masks
        bias, recurrent_bias = self._biases(params)
        kernel, recurrent_kernel = params["kernel"], params["recurrent_kernel"]
        gate, gate_columns = self.recurrent_activation, 2 * self.units
        (hidden,) = states
        z, r, g = jnp.split(project(values, kernel, mask) + bias, 3, axis=-1)
        if self.reset_after:
            from_hidden = project(hidden, recurrent_kernel, recurrent_mask) + recurrent_bias
            hidden_z, hidden_r, hidden_g = jnp.split(from_hidden, 3, axis=-1)
            z, r = gate(z + hidden_z), gate(r + hidden_r)
            candidate = self.activation(g + r * hidden_g)
        else:
            gate_mask, candidate_mask = _split_mask(recurrent_mask)
            from_hidden = project(hidden, recurrent_kernel[:, :gate_columns], gate_mask)
            hidden_z, hidden_r = jnp.split(from_hidden, 2, axis=-1)
            z, r = gate(z + hidden_z), gate(r + hidden_r)
            hidden_g = project(r * hidden, recurrent_kernel[:, gate_columns:], candidate_mask)
            candidate = self.activation(g + hidden_g)
        hidden = z * hidden + (1 - z) * candidate
        return hidden, [hidden]

    def _init_bias(self, key: Key) -> Array:
        shape: tuple[int, ...] = (3 * self.units,)
        shape = (2, *shape) if self.reset_after else shape
        return initializers.draw(self.bias_initializer, key, shape, self.variable_dtype)

    def _biases(self, params: Params) -> tuple[Any, Any]:
        """Return the biases of inputs and hidden state."""
        if "bias" not in params:
            return 0, 0
        return tuple(params["bias"]) if self.reset_after else (params["bias"], 0)


def _split_mask(mask: Array | None) -> tuple[Array | None, Array | None]:
    """Return the dropout masks of the two gates, and that of the candidate."""
    return (None, None) if mask is None else (mask[:2], mask[2:])
