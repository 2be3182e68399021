"""The convolutional LSTMs, over sequences of signals, images and volumes."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import jax.numpy as jnp

from fjax.configuration import field, stored
from fjax.core.keras_layout import KerasLayout
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.core.reserved import CARRY
from fjax.errors import integer_at_least, number_between, seed_of
from fjax.layers.array_layer import resolve_functions
from fjax.layers.recurrent.cell import WEIGHTS_OF_FIELDS
from fjax.layers.recurrent.conv_lstm_cell import ConvLSTMCell
from fjax.layers.recurrent.recurrent import Recurrent
from fjax.layers.spatial import AXIS_NAMES, resolve_data_format
from fjax.layers.windows import Sizes, check_windows_fit, resolve_padding, resolve_sizes
from fjax.typing import Identifier, Key, Params, PyTree, Shape, Spec, State


class ConvLSTM(Recurrent):
    """Base of the convolutional LSTMs; `rank` is the number of spatial axes."""

    keras_layout = KerasLayout(group="cell")

    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: str = "valid"
    data_format: Identifier = None
    dilation_rate: Sizes = 1
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
    unroll: bool = field(default=False, kw_only=True)
    zero_output_for_mask: bool = field(default=False, kw_only=True)

    rank: ClassVar[int]
    _weights_of_fields: ClassVar[Mapping[str, str]] = WEIGHTS_OF_FIELDS

    def __post_init__(self) -> None:
        super().__post_init__()
        resolve_functions(self)
        self.filters = integer_at_least(self.kind, "filters", self.filters, 1)
        for name in ("kernel_size", "strides", "dilation_rate"):
            setattr(self, name, resolve_sizes(self.kind, name, getattr(self, name), self.rank))
        self.padding = resolve_padding(self.kind, self.padding)
        self.data_format = resolve_data_format(self.kind, self.data_format)
        for name in ("dropout", "recurrent_dropout"):
            rate = number_between(self.kind, name, getattr(self, name), 0.0, 1.0, open_high=True)
            setattr(self, name, rate)
        if self.seed is not None:
            self.seed = seed_of(self.kind, self.seed)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"`{self.kind}`: `strides` {self.strides} and `dilation_rate` "
                f"{self.dilation_rate} cannot both be above 1: set one of them to 1."
            )

    @property
    def cell(self) -> ConvLSTMCell:
        """The cell with this layer's arguments."""
        own = {item.name for item in dataclasses.fields(self)}
        names = {item.name for item in dataclasses.fields(ConvLSTMCell)} & own
        names -= {"name", "input_shape", "remat"}
        return ConvLSTMCell(**{name: stored(self, name) for name in names})

    def cell_subtree(self, tree: Params) -> Params:
        """Return all entries but the carried states: the weights of the cell are this layer's."""
        return {name: value for name, value in tree.items() if name != CARRY}

    def with_cell_subtree(self, tree: State, subtree: State) -> State:
        """Return the tree with the entries of the cell replaced."""
        return {**tree, **subtree}

    def with_penalties(self, params: Params, cell_state: State, outputs: PyTree) -> State:
        """Return the cell's state with the penalties of this layer's regularizers."""
        return with_penalty(self, params, cell_state, outputs)

    def initial_states(self, cell_params: Params, values: Any) -> list[Any]:
        """Return a hidden state and a carry of zeros."""
        shape = self.cell.state_shape((values.shape[0], *values.shape[2:]))
        leaves = [leaf.dtype for leaf in cell_params.values()]
        dtype = jnp.result_type(values.dtype, *(leaves or [self.compute_dtype]))
        return [jnp.zeros(shape, dtype), jnp.zeros(shape, dtype)]

    def check_sequences(self, shape: Shape) -> None:
        """Raise ValueError unless sequences have the axes that the layer needs, and fit."""
        spatial = ", ".join(AXIS_NAMES[self.rank] if self.rank > 1 else ("length",))
        is_last = self.data_format == "channels_last"
        order = f"{spatial}, channels" if is_last else f"channels, {spatial}"
        if len(shape) != self.rank + 3 or shape[1] == 0:
            problem = "" if len(shape) != self.rank + 3 else " The time axis is empty."
            raise ValueError(
                f"`{self.kind}` needs sequences of shape (batch, time, {order}), received "
                f"{shape}.{problem}"
            )
        check_windows_fit(
            self.kind, (shape[0], *shape[2:]), self.kernel_size, self.strides, self.padding,
            self.data_format, self.dilation_rate,
        )  # fmt: skip

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the weights; a stateful layer starts from zeros."""
        params, state = super().init(key, *specs)
        return params, {**state, **empty_penalty(self)}


class ConvLSTM1D(ConvLSTM):
    """An LSTM over sequences of signals, whose states are signals and whose gates are convolutions.

    Arguments, errors and source as for `ConvLSTM2D`, for one spatial axis.

    Shapes: `(batch, time, length, channels)` to `(batch, new_length, filters)`, or `(batch, time,
    new_length, filters)` with `return_sequences`.

    >>> import jax
    >>> layer, inputs = ConvLSTM1D(4, 3), jnp.ones((2, 5, 8, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> layer.apply(params, state, inputs)[0].shape
    (2, 6, 4)
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """An LSTM over sequences of images, whose states are images and whose gates are convolutions.

    With gates i, f and o, computed with `recurrent_activation`, and a candidate g, each step
    computes `carry = f * carry + i * g` and `hidden = o * activation(carry)`.

    Args:
        filters: The number of channels of the outputs and of both states.
        kernel_size: The size of the kernels, an integer or one for each spatial axis.
        strides: The step between windows of the inputs, likewise; the convolutions of the state
            have strides of 1.
        padding: "valid" or "same", for the inputs; the state keeps its size.
        data_format: "channels_last" (default) or "channels_first".
        dilation_rate: The step between entries of a window of the inputs; more than 1 needs strides
            of 1.
        activation: Activation of the candidate and of the carry in the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the kernel, `(*kernel_size, channels, 4 * filters)`.
        recurrent_initializer: Initializer of the recurrent kernel, `(*kernel_size, filters,
            4 * filters)`.
        bias_initializer: Initializer of the bias, `(4 * filters,)`.
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer: Regularizer of the kernel; None means no penalty.
        recurrent_regularizer: Regularizer of the recurrent kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step.
        recurrent_constraint: Applied to the recurrent kernel after each training step.
        bias_constraint: Applied to the bias after each training step.
        dropout: The share of the inputs to drop in training, in [0, 1); all steps drop the same
            entries, each gate its own.
        recurrent_dropout: The share of the hidden state to drop in training, likewise.
        seed: Folded into the dropout key, to distinguish layers that receive the same key.
        return_sequences: Whether to return the outputs of all steps instead of the last.
        return_state: Whether to return the last states after the outputs.
        go_backwards: Whether to run from the last step to the first; the outputs are in the order
            of computation.
        stateful: Whether each batch starts from the states after the previous batch, which the
            layer's state holds; all batches must have the same size.
        unroll: Whether to unroll the loop over the steps, which takes longer to compile.
        zero_output_for_mask: Whether the outputs of masked steps are 0; otherwise they repeat the
            previous output.

    The layer skips masked steps. The initial states are 0, unless they are given as
    `initial_state=…` or as further inputs.

    Shapes: `(batch, time, height, width, channels)` to `(batch, new_height, new_width, filters)`,
    or `(batch, time, new_height, new_width, filters)` with `return_sequences`; or with the channels
    after the time axis.

    Raises:
        ValueError: An argument is out of range, the sequences have the wrong number of axes or are
            smaller than the window, or a mask or an initial state has the wrong shape.

    Source: Shi et al., "Convolutional LSTM Network" (2015), https://arxiv.org/abs/1506.04214;
    Keras's page "ConvLSTM2D layer".

    >>> import jax
    >>> layer, inputs = ConvLSTM2D(4, 3, return_sequences=True), jnp.ones((2, 5, 8, 8, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> layer.apply(params, state, inputs)[0].shape
    (2, 5, 6, 6, 4)
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """An LSTM over sequences of volumes, whose states are volumes and whose gates are convolutions.

    Arguments, errors and source as for `ConvLSTM2D`, for three spatial axes.

    Shapes: `(batch, time, depth, height, width, channels)` to `(batch, new_depth, new_height,
    new_width, filters)`, or with a time axis after the batch with `return_sequences`.

    >>> import jax
    >>> layer, inputs = ConvLSTM3D(2, 2), jnp.ones((1, 3, 4, 4, 4, 1))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> layer.apply(params, state, inputs)[0].shape
    (1, 3, 3, 3, 2)
    """

    rank = 3
