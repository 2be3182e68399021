"""What can be kept in a file: configurations as plain data, arrays by name, files whole or not."""

from fjax.storage.encoding import decoded as decoded
from fjax.storage.encoding import encoded as encoded
from fjax.storage.errors import ModelFileError as ModelFileError
from fjax.storage.errors import told_of_file as told_of_file
from fjax.storage.registration import register_serializable as register_serializable
from fjax.storage.tensors import TensorFile as TensorFile
from fjax.storage.tensors import named_leaves as named_leaves
from fjax.storage.tensors import open_tensors as open_tensors
from fjax.storage.tensors import write_tensors as write_tensors
