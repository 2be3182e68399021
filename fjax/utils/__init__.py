"""Keras's `utils`: seeds, labels, pictures, files, data sets, model plots."""

from fjax.callbacks.progbar import Progbar as Progbar
from fjax.compilation_cache import enable_compilation_cache as enable_compilation_cache
from fjax.config import disable_interactive_logging as disable_interactive_logging
from fjax.config import enable_interactive_logging as enable_interactive_logging
from fjax.config import is_interactive_logging_enabled as is_interactive_logging_enabled
from fjax.preprocessing.audio_directory import (
    audio_dataset_from_directory as audio_dataset_from_directory,
)
from fjax.preprocessing.image import array_to_img as array_to_img
from fjax.preprocessing.image import img_to_array as img_to_array
from fjax.preprocessing.image import load_img as load_img
from fjax.preprocessing.image import save_img as save_img
from fjax.preprocessing.image_directory import (
    image_dataset_from_directory as image_dataset_from_directory,
)
from fjax.preprocessing.sequence import pad_sequences as pad_sequences
from fjax.preprocessing.text_directory import (
    text_dataset_from_directory as text_dataset_from_directory,
)
from fjax.preprocessing.timeseries import (
    timeseries_dataset_from_array as timeseries_dataset_from_array,
)
from fjax.saving import CustomObjectScope as CustomObjectScope
from fjax.saving import custom_object_scope as custom_object_scope
from fjax.saving import deserialize_keras_object as deserialize_keras_object
from fjax.saving import get_custom_objects as get_custom_objects
from fjax.saving import get_registered_name as get_registered_name
from fjax.saving import get_registered_object as get_registered_object
from fjax.saving import register_keras_serializable as register_keras_serializable
from fjax.saving import serialize_keras_object as serialize_keras_object
from fjax.utils import bounding_boxes as bounding_boxes
from fjax.utils.arrays import normalize as normalize
from fjax.utils.arrays import to_categorical as to_categorical
from fjax.utils.batches import pack_x_y_sample_weight as pack_x_y_sample_weight
from fjax.utils.batches import unpack_x_y_sample_weight as unpack_x_y_sample_weight
from fjax.utils.downloads import get_file as get_file
from fjax.utils.feature_space import FeatureSpace as FeatureSpace
from fjax.utils.named_values import Config as Config
from fjax.utils.py_dataset import PyDataset as PyDataset
from fjax.utils.sessions import clear_session as clear_session
from fjax.utils.sessions import set_random_seed as set_random_seed
from fjax.utils.splitting import split_dataset as split_dataset
from fjax.utils.tensors import get_source_inputs as get_source_inputs
from fjax.utils.tensors import is_keras_tensor as is_keras_tensor
from fjax.utils.tensors import standardize_dtype as standardize_dtype
from fjax.visualization import model_to_dot as model_to_dot
from fjax.visualization import plot_model as plot_model

# Keras's older name of the same class.
Sequence = PyDataset
