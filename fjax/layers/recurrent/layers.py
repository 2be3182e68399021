"""The recurrent layers: simple, LSTM and GRU."""

from typing import Any

from fjax.layers.recurrent.cell_layer import CellLayer
from fjax.layers.recurrent.cells import GRUCell, LSTMCell, SimpleRNNCell
from fjax.typing import Identifier


class SimpleRNN(CellLayer):
    """Run a simple recurrent cell along sequences.

    Each step computes `hidden = activation(inputs @ kernel + bias + hidden @ recurrent_kernel)`.

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
        activity_regularizer: Regularizer of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step.
        recurrent_constraint: Applied to the recurrent kernel after each training step.
        bias_constraint: Applied to the bias after each training step.
        dropout: The share of the inputs to drop in training, in [0, 1); all steps drop the same
            features.
        recurrent_dropout: The share of the hidden state to drop in training, in [0, 1); all steps
            drop the same units.
        seed: Folded into the dropout key, to distinguish layers that receive the same key.
        return_sequences: Whether to return the outputs of all steps instead of the last.
        return_state: Whether to return the last state after the outputs.
        go_backwards: Whether to run from the last step to the first; the outputs are in the order
            of computation.
        stateful: Whether each batch starts from the states after the previous batch, which the
            layer's state holds; all batches must have the same size.
        unroll: Whether to unroll the loop over the steps, which takes longer to compile.
        zero_output_for_mask: Whether the outputs of masked steps are 0; otherwise they repeat the
            previous output.

    The layer skips masked steps (see `Embedding(mask_zero=True)` and `Masking`). The initial states
    are 0, unless they are given as `initial_state=…` or as further inputs.

    Shapes: `(batch, time, features)` to `(batch, units)`, or `(batch, time, units)`.

    Raises:
        ValueError: An argument is out of range, the time axis is missing or empty, a mask or an
            initial state has the wrong shape, or the batch size of a stateful layer changes.

    Source: Keras's page "SimpleRNN layer".

    >>> import jax, jax.numpy as jnp
    >>> layer, inputs = SimpleRNN(4), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> layer.apply(params, state, inputs)[0].shape
    (2, 4)
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
    activity_regularizer: Identifier = None
    kernel_constraint: Identifier = None
    recurrent_constraint: Identifier = None
    bias_constraint: Identifier = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int | None = None
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False

    cell_class = SimpleRNNCell


class LSTM(CellLayer):
    """Run an LSTM cell along sequences: gates decide what to remember, and for how long.

    With gates i, f and o, computed with `recurrent_activation`, and a candidate g, each step
    computes `carry = f * carry + i * g` and `hidden = o * activation(carry)`.

    Args:
        units: The size of the output and of the states.
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
        activity_regularizer: Regularizer of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step.
        recurrent_constraint: Applied to the recurrent kernel after each training step.
        bias_constraint: Applied to the bias after each training step.
        dropout: The share of the inputs to drop in training, in [0, 1); all steps drop the same
            features.
        recurrent_dropout: The share of the hidden state to drop in training, in [0, 1); all steps
            drop the same units.
        seed: Folded into the dropout key, to distinguish layers that receive the same key.
        return_sequences: Whether to return the outputs of all steps instead of the last.
        return_state: Whether to return the last states after the outputs.
        go_backwards: Whether to run from the last step to the first; the outputs are in the order
            of computation.
        stateful: Whether each batch starts from the states after the previous batch, which the
            layer's state holds; all batches must have the same size.
        unroll: Whether to unroll the loop over the steps, which takes longer to compile.
        use_cudnn: "auto" or False, for compatibility with Keras: XLA compiles the layer on every
            device.
        zero_output_for_mask: Whether the outputs of masked steps are 0; otherwise they repeat the
            previous output.

    The layer skips masked steps (see `Embedding(mask_zero=True)` and `Masking`). The initial states
    are 0, unless they are given as `initial_state=…` or as further inputs.

    Shapes: `(batch, time, features)` to `(batch, units)`, or `(batch, time, units)`.

    Raises:
        ValueError: An argument is out of range, the time axis is missing or empty, a mask or an
            initial state has the wrong shape, or the batch size of a stateful layer changes.

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997); Keras's page "LSTM layer".

    >>> import jax, jax.numpy as jnp
    >>> layer, inputs = LSTM(4, return_sequences=True, return_state=True), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> (outputs, hidden, carry), state = layer.apply(params, state, inputs)
    >>> outputs.shape, hidden.shape, bool((outputs[:, -1] == hidden).all())
    ((2, 5, 4), (2, 4), True)
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
    activity_regularizer: Identifier = None
    kernel_constraint: Identifier = None
    recurrent_constraint: Identifier = None
    bias_constraint: Identifier = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int | None = None
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    use_cudnn: Any = "auto"

    cell_class = LSTMCell


class GRU(CellLayer):
    """Run a GRU cell along sequences: gates decide how much of the state each step updates.

    With gates z and r, computed with `recurrent_activation`, and a candidate g, in which r scales
    the contribution of the hidden state, each step computes `hidden = z * hidden + (1 - z) * g`.

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
        activity_regularizer: Regularizer of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step.
        recurrent_constraint: Applied to the recurrent kernel after each training step.
        bias_constraint: Applied to the bias after each training step.
        dropout: The share of the inputs to drop in training, in [0, 1); all steps drop the same
            features.
        recurrent_dropout: The share of the hidden state to drop in training, in [0, 1); all steps
            drop the same units.
        seed: Folded into the dropout key, to distinguish layers that receive the same key.
        return_sequences: Whether to return the outputs of all steps instead of the last.
        return_state: Whether to return the last state after the outputs.
        go_backwards: Whether to run from the last step to the first; the outputs are in the order
            of computation.
        stateful: Whether each batch starts from the states after the previous batch, which the
            layer's state holds; all batches must have the same size.
        unroll: Whether to unroll the loop over the steps, which takes longer to compile.
        reset_after: Whether r is applied after the recurrent kernel (as in cuDNN), or before it.
        use_cudnn: "auto" or False, for compatibility with Keras: XLA compiles the layer on every
            device.
        zero_output_for_mask: Whether the outputs of masked steps are 0; otherwise they repeat the
            previous output.

    The layer skips masked steps (see `Embedding(mask_zero=True)` and `Masking`). The initial states
    are 0, unless they are given as `initial_state=…` or as further inputs.

    Shapes: `(batch, time, features)` to `(batch, units)`, or `(batch, time, units)`.

    Raises:
        ValueError: An argument is out of range, the time axis is missing or empty, a mask or an
            initial state has the wrong shape, or the batch size of a stateful layer changes.

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014),
    https://arxiv.org/abs/1406.1078; Keras's page "GRU layer".

    >>> import jax, jax.numpy as jnp
    >>> layer, inputs = GRU(4, return_sequences=True), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> layer.apply(params, state, inputs)[0].shape
    (2, 5, 4)
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
    activity_regularizer: Identifier = None
    kernel_constraint: Identifier = None
    recurrent_constraint: Identifier = None
    bias_constraint: Identifier = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: int | None = None
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    reset_after: bool = True
    use_cudnn: Any = "auto"

    cell_class = GRUCell
