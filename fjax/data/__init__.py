"""Data: a user's arrays or iterables, converted to sources of batches."""

from fjax.data.arrays import ArraySource as ArraySource
from fjax.data.conversion import to_batch as to_batch
from fjax.data.disk import DiskSource as DiskSource
from fjax.data.grain_iter import IterDatasetSource as IterDatasetSource
from fjax.data.grain_map import MapDatasetSource as MapDatasetSource
from fjax.data.npy_files import NpyFiles as NpyFiles
from fjax.data.source import source as source
from fjax.data.streams import IteratorSource as IteratorSource
from fjax.data.streams import LoaderSource as LoaderSource
from fjax.training.batch import Batch as Batch
from fjax.training.batch import Source as Source
from fjax.training.batch import Window as Window
