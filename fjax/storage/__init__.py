"""Model files and checkpoints: configurations as plain data, and named arrays, in one file."""

from fjax.custom_objects import register_serializable as register_serializable
from fjax.storage.decoding import config_values as config_values
from fjax.storage.decoding import decode as decode
from fjax.storage.encoding import encode as encode
from fjax.storage.errors import ModelFileError as ModelFileError
from fjax.storage.errors import file_error_context as file_error_context
from fjax.storage.tensors import TensorFile as TensorFile
from fjax.storage.tensors import named_leaves as named_leaves
from fjax.storage.tensors import open_foreign_tensors as open_foreign_tensors
from fjax.storage.tensors import open_tensors as open_tensors
from fjax.storage.tensors import write_tensors as write_tensors
