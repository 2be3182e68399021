"""The vocabulary: every layer, by Keras's names."""

from fjax.core.inputs import InputLayer as InputLayer
from fjax.core.layer import Layer as Layer
from fjax.layers.activation import Activation as Activation
from fjax.layers.activity_regularization import (
    ActivityRegularization as ActivityRegularization,
)
from fjax.layers.dense import Dense as Dense
from fjax.layers.dropout import Dropout as Dropout
from fjax.layers.features.category_encoding import CategoryEncoding as CategoryEncoding
from fjax.layers.features.discretization import Discretization as Discretization
from fjax.layers.features.hashing import HashedCrossing as HashedCrossing
from fjax.layers.features.hashing import Hashing as Hashing
from fjax.layers.input import Input as Input
from fjax.layers.merging import Add as Add
from fjax.layers.merging import Average as Average
from fjax.layers.merging import Concatenate as Concatenate
from fjax.layers.merging import Dot as Dot
from fjax.layers.merging import Maximum as Maximum
from fjax.layers.merging import Minimum as Minimum
from fjax.layers.merging import Multiply as Multiply
from fjax.layers.merging import Subtract as Subtract
from fjax.layers.merging import add as add
from fjax.layers.merging import average as average
from fjax.layers.merging import concatenate as concatenate
from fjax.layers.merging import dot as dot
from fjax.layers.merging import maximum as maximum
from fjax.layers.merging import minimum as minimum
from fjax.layers.merging import multiply as multiply
from fjax.layers.merging import subtract as subtract
from fjax.layers.normalization import BatchNormalization as BatchNormalization
from fjax.layers.preprocessing import Normalization as Normalization
from fjax.layers.preprocessing import Rescaling as Rescaling
from fjax.layers.reshaping import Flatten as Flatten
from fjax.layers.reshaping import Reshape as Reshape
from fjax.layers.text.integer_lookup import IntegerLookup as IntegerLookup
from fjax.layers.text.string_lookup import StringLookup as StringLookup
from fjax.layers.text.text_vectorization import TextVectorization as TextVectorization
