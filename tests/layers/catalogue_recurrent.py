"""Sample configurations of recurrent layers."""

from fjax import layers
from tests.layers.catalogue import Entry, entry

# The default, an orthogonal matrix, takes seconds to compile in each test.
FAST = {"recurrent_initializer": "glorot_uniform"}

RECURRENT = [
    entry("Embedding", (4, 5), whole=4, input_dim=10, output_dim=3, embeddings_regularizer="l2",
          embeddings_constraint="non_neg"),
    entry("ReversibleEmbedding", (4, 5), whole=4, input_dim=10, output_dim=3, tie_weights=False,
          embeddings_regularizer="l2", embeddings_constraint="non_neg"),
    entry("Masking", (2, 3, 4)),
    entry("SimpleRNN", (2, 3, 4), units=3, recurrent_regularizer="l2",
          recurrent_constraint="non_neg", return_sequences=True, **FAST),
    entry("LSTM", (2, 3, 4), units=2, kernel_regularizer="l1", bias_constraint="non_neg", **FAST),
    Entry(layers.GRU(2, dropout=0.5, recurrent_dropout=0.5, stateful=True, **FAST), (2, 3, 4)),
    Entry(layers.RNN([layers.LSTMCell(2, kernel_regularizer="l2", **FAST), layers.GRUCell(
          2, reset_after=False, **FAST)]), (2, 3, 4)),
    Entry(layers.Bidirectional(layers.SimpleRNN(2, **FAST, return_sequences=True), "sum"),
          (2, 3, 4)),
    Entry(layers.TimeDistributed(layers.BatchNormalization()), (4, 3, 2)),
    entry("ConvLSTM1D", (2, 3, 5, 2), filters=2, kernel_size=2, padding="same", strides=2, **FAST),
    entry("ConvLSTM2D", (2, 3, 4, 5, 2), filters=2, kernel_size=(2, 3), return_sequences=True,
          kernel_regularizer="l2", recurrent_constraint="non_neg", use_bias=False, **FAST),
    entry("ConvLSTM2D", (2, 3, 2, 4, 5), filters=2, kernel_size=2, dilation_rate=2,
          data_format="channels_first", go_backwards=True, unit_forget_bias=False,
          activity_regularizer="l2", **FAST),
    Entry(layers.ConvLSTM2D(2, 2, dropout=0.5, recurrent_dropout=0.5, stateful=True, **FAST),
          (2, 3, 4, 4, 1)),
    entry("ConvLSTM3D", (2, 2, 3, 3, 3, 1), filters=1, kernel_size=2, **FAST),
]  # fmt: skip
