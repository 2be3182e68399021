"""The vocabulary: every layer, by Keras's names."""

from fjax.core.inputs import InputLayer as InputLayer
from fjax.core.layer import Layer as Layer
from fjax.layers.activation import Activation as Activation
from fjax.layers.activity_regularization import (
    ActivityRegularization as ActivityRegularization,
)
from fjax.layers.dense import Dense as Dense
from fjax.layers.dropout import Dropout as Dropout
from fjax.layers.input import Input as Input
from fjax.layers.normalization import BatchNormalization as BatchNormalization
from fjax.layers.preprocessing import Normalization as Normalization
from fjax.layers.preprocessing import Rescaling as Rescaling
from fjax.layers.reshaping import Flatten as Flatten
from fjax.layers.reshaping import Reshape as Reshape
