"""Keras's preprocessing: pictures, texts, sequences, and files as data sets."""

from fjax.preprocessing import dataset as dataset
from fjax.preprocessing import image as image
from fjax.preprocessing import sequence as sequence
from fjax.preprocessing import text as text
from fjax.preprocessing.image_directory import (
    image_dataset_from_directory as image_dataset_from_directory,
)
from fjax.preprocessing.text_directory import (
    text_dataset_from_directory as text_dataset_from_directory,
)
from fjax.preprocessing.timeseries import (
    timeseries_dataset_from_array as timeseries_dataset_from_array,
)
