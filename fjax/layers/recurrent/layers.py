"""The recurrent layers: plain, LSTM and GRU."""

from typing import Any

from fjax.layers.recurrent.cells import GRUCell, LSTMCell, SimpleRNNCell
from fjax.layers.recurrent.rnn import CellLayer
from fjax.typing import Identifier


class SimpleRNN(CellLayer):
    """Run a plain recurrent cell along sequences.

    In each step `hidden = activation(inputs @ kernel + bias + hidden @ recurrent_kernel)`.

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
        activity_regularizer: Charges for the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each step of training.
        recurrent_constraint: Applied to the recurrent kernel likewise.
        bias_constraint: Applied to the bias likewise.
        dropout: The share of the inputs that is dropped in training, the same in all steps.
        recurrent_dropout: The share of the hidden state that is dropped, likewise.
        seed: Folded into the key that dropout draws from.
        return_sequences: Whether to return the outputs of all steps, not of the last alone.
        return_state: Whether to return the last state behind the outputs.
        go_backwards: Whether to begin at the end; the outputs are in the order of the steps.
        stateful: Whether the states after a batch, which are part of the layer's state, are the
            first ones of the next; all batches then have the same size.
        unroll: Whether to write out all steps in the program, which takes longer to compile.
        zero_output_for_mask: Whether outputs of masked steps are zero; else they repeat the one
            before.

    Inputs with a mask (`Embedding(mask_zero=True)`, `Masking`) pass over the masked steps. Called
    with `initial_state=…`, or with the states as further inputs, the layer begins with these.

    Shapes: `(batch, time, features)` to `(batch, units)`, or `(batch, time, units)`.

    Raises:
        ValueError: A number is out of its range; the inputs have no time axis, or it is empty; a
            mask or first state has another shape; or a stateful layer is given another batch size.

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
    """Run an LSTM cell along sequences: gates say what is remembered, and for how long.

    With the gates i, f and o, in `[0, 1]` by `recurrent_activation`, and a candidate g in each step
    `carry = f * carry + i * g` and `hidden = o * activation(carry)`.

    Args:
        units: The size of the output and of the states.
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
        activity_regularizer: Charges for the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each step of training.
        recurrent_constraint: Applied to the recurrent kernel likewise.
        bias_constraint: Applied to the bias likewise.
        dropout: The share of the inputs that is dropped in training, the same in all steps.
        recurrent_dropout: The share of the hidden state that is dropped, likewise.
        seed: Folded into the key that dropout draws from.
        return_sequences: Whether to return the outputs of all steps, not of the last alone.
        return_state: Whether to return the last states behind the outputs.
        go_backwards: Whether to begin at the end; the outputs are in the order of the steps.
        stateful: Whether the states after a batch, which are part of the layer's state, are the
            first ones of the next; all batches then have the same size.
        unroll: Whether to write out all steps in the program, which takes longer to compile.
        use_cudnn: "auto" or False; for Keras's sake, XLA compiles the layer on every device.
        zero_output_for_mask: Whether outputs of masked steps are zero; else they repeat the one
            before.

    Inputs with a mask (`Embedding(mask_zero=True)`, `Masking`) pass over the masked steps. Called
    with `initial_state=…`, or with the states as further inputs, the layer begins with these.

    Shapes: `(batch, time, features)` to `(batch, units)`, or `(batch, time, units)`.

    Raises:
        ValueError: A number is out of its range; the inputs have no time axis, or it is empty; a
            mask or first state has another shape; or a stateful layer is given another batch size.

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
    """Run a GRU cell along sequences: gates say how much of the state each step renews.

    With the gates z and r, in `[0, 1]` by `recurrent_activation`, and a candidate g that sees the
    hidden state through r, in each step `hidden = z * hidden + (1 - z) * g`.

    Args:
        units: The size of the output, which is the state.
        activation: Of the candidate.
        recurrent_activation: Of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Draws the kernel, `(features, 3 * units)`: for z, r and g.
        recurrent_initializer: Draws the recurrent kernel, `(units, 3 * units)`.
        bias_initializer: Draws the bias, `(2, 3 * units)`; without `reset_after` `(3 * units,)`.
        kernel_regularizer: Charges for the kernel, in the loss; None charges nothing.
        recurrent_regularizer: Charges for the recurrent kernel.
        bias_regularizer: Charges for the bias.
        activity_regularizer: Charges for the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each step of training.
        recurrent_constraint: Applied to the recurrent kernel likewise.
        bias_constraint: Applied to the bias likewise.
        dropout: The share of the inputs that is dropped in training, the same in all steps.
        recurrent_dropout: The share of the hidden state that is dropped, likewise.
        seed: Folded into the key that dropout draws from.
        return_sequences: Whether to return the outputs of all steps, not of the last alone.
        return_state: Whether to return the last state behind the outputs.
        go_backwards: Whether to begin at the end; the outputs are in the order of the steps.
        stateful: Whether the states after a batch, which are part of the layer's state, are the
            first ones of the next; all batches then have the same size.
        unroll: Whether to write out all steps in the program, which takes longer to compile.
        reset_after: Whether r acts after the recurrent kernel (as in cuDNN), or before it.
        use_cudnn: "auto" or False; for Keras's sake, XLA compiles the layer on every device.
        zero_output_for_mask: Whether outputs of masked steps are zero; else they repeat the one
            before.

    Inputs with a mask (`Embedding(mask_zero=True)`, `Masking`) pass over the masked steps. Called
    with `initial_state=…`, or with the states as further inputs, the layer begins with these.

    Shapes: `(batch, time, features)` to `(batch, units)`, or `(batch, time, units)`.

    Raises:
        ValueError: A number is out of its range; the inputs have no time axis, or it is empty; a
            mask or first state has another shape; or a stateful layer is given another batch size.

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
