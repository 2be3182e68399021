"""HDF5 files written by h5py."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fjax.errors import import_extra
from fjax.storage.hdf5.messages import BFLOAT16


def write_hdf5(
    file: Any, arrays: Mapping[str, Any], texts: Mapping[str, Mapping[str, str]]
) -> None:
    """Write arrays, and texts as attributes of groups.

    Args:
        file: The file, opened for writing, or memory.
        arrays: The arrays by their names after those of their groups, joined by "/".
        texts: The attributes of each group by name; a group without arrays is created.

    Raises:
        ImportError: h5py is not installed.
    """
    h5py = import_extra("a file of Keras", "h5py", "h5py", "keras-files")
    with h5py.File(file, "w") as target:
        for group, attributes in texts.items():
            for name, text in attributes.items():
                target.require_group(group or "/").attrs[name] = text
        for name, array in arrays.items():
            values = np.asarray(array)
            if values.dtype == BFLOAT16:
                target.create_dataset(name, data=values.view(f"V{BFLOAT16.itemsize}"))
                target[name].attrs["dtype"] = BFLOAT16.name
            else:
                target.create_dataset(name, data=values)
