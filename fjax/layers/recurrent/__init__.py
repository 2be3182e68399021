"""Recurrent layers: cells, the layers that run them along sequences, and wrappers."""

from fjax.layers.recurrent.bidirectional import Bidirectional as Bidirectional
from fjax.layers.recurrent.cells import GRUCell as GRUCell
from fjax.layers.recurrent.cells import LSTMCell as LSTMCell
from fjax.layers.recurrent.cells import SimpleRNNCell as SimpleRNNCell
from fjax.layers.recurrent.conv_lstm import ConvLSTM1D as ConvLSTM1D
from fjax.layers.recurrent.conv_lstm import ConvLSTM2D as ConvLSTM2D
from fjax.layers.recurrent.conv_lstm import ConvLSTM3D as ConvLSTM3D
from fjax.layers.recurrent.layers import GRU as GRU
from fjax.layers.recurrent.layers import LSTM as LSTM
from fjax.layers.recurrent.layers import SimpleRNN as SimpleRNN
from fjax.layers.recurrent.rnn import RNN as RNN
from fjax.layers.recurrent.stacked import StackedRNNCells as StackedRNNCells
from fjax.layers.recurrent.time_distributed import TimeDistributed as TimeDistributed
