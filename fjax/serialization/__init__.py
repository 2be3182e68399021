"""What can be kept in a file: configurations as plain data, arrays by name, files whole or not."""

from fjax.serialization.encoding import decoded as decoded
from fjax.serialization.encoding import encoded as encoded
from fjax.serialization.errors import ModelFileError as ModelFileError
from fjax.serialization.errors import told_of_file as told_of_file
from fjax.serialization.registration import register_serializable as register_serializable
from fjax.serialization.tensors import TensorFile as TensorFile
from fjax.serialization.tensors import named_leaves as named_leaves
from fjax.serialization.tensors import open_tensors as open_tensors
from fjax.serialization.tensors import write_tensors as write_tensors
