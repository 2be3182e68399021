"""Runs on several devices: placements, and the names of `keras.distribution` for them."""

from fjax.distribution.current import distribution as distribution
from fjax.distribution.current import set_distribution as set_distribution
from fjax.distribution.devices import get_device_count as get_device_count
from fjax.distribution.devices import list_devices as list_devices
from fjax.distribution.joining import initialize as initialize
from fjax.distribution.keras_names import DataParallel as DataParallel
from fjax.distribution.keras_names import LayoutMap as LayoutMap
from fjax.distribution.keras_names import ModelParallel as ModelParallel
from fjax.distribution.mesh import DeviceMesh as DeviceMesh
from fjax.distribution.mesh import TensorLayout as TensorLayout
from fjax.distribution.mesh import distribute_tensor as distribute_tensor
from fjax.distribution.placements import data_parallel as data_parallel
from fjax.distribution.placements import fsdp as fsdp
from fjax.distribution.placements import sharded as sharded
