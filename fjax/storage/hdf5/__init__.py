"""HDF5 files, read under closed rules in Python alone.

The HDF5 library follows links into other files, loads plug-ins, and can hang or crash on a damaged
file. This reader knows the part of the format that h5py writes by default: groups, arrays of
numbers, and attributes that are text. Everything else is an error. Each structure is checked before
its content is read, and visited once, so that the work is bounded by the size of the file.

Source: "HDF5 File Format Specification Version 3.0".
"""

from fjax.storage.hdf5.file import Hdf5File as Hdf5File
from fjax.storage.hdf5.file import is_hdf5 as is_hdf5
from fjax.storage.hdf5.file import open_hdf5 as open_hdf5
from fjax.storage.hdf5.writing import write_hdf5 as write_hdf5
