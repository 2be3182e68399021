"""Load weights from the safetensors files of other programs, by a map of names."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fjax.errors import suggestion
from fjax.storage import TensorFile, file_error_context, open_foreign_tensors
from fjax.storage.keras_files.weights import check_arrays

# The name of an array in the file, or that and the order of its axes.
Names = Mapping[str, str | tuple[str, Sequence[int]]]


class _Entry(NamedTuple):
    """The dtype and the shape of an array after its axes are permuted."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class _Renamed:
    """The arrays of a file under the paths of the weights that they are for."""

    def __init__(self, file: TensorFile, names: Names) -> None:
        self.path, self._file = file.path, file
        self.sources: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.entries: dict[str, _Entry] = {}
        for path, given in names.items():
            name, axes = (given, None) if isinstance(given, str) else given
            if name not in file.entries:
                raise ValueError(
                    f"it has no array {name!r}, which is to be {path!r}."
                    f"{suggestion(name, file.entries)}"
                )
            entry = file.entries[name]
            order = tuple(range(len(entry.shape))) if axes is None else tuple(axes)
            if sorted(order) != list(range(len(entry.shape))):
                raise ValueError(
                    f"`names`: {order} must be the order of the {len(entry.shape)} axes of {name!r}"
                )
            self.sources[path] = name, order
            self.entries[path] = _Entry(entry.dtype, tuple(entry.shape[axis] for axis in order))

    def read(self, path: str) -> np.ndarray:
        """Return the array for a weight."""
        name, order = self.sources[path]
        return self._file.read(name).transpose(order)


def load_named_weights(model: Any, path: Any, names: Names, skip_mismatch: bool) -> None:
    """Load weights from a safetensors file; see `Model.load_weights`.

    Args:
        model: The model, built.
        path: The file.
        names: For the path of each weight the name of an array in the file, or a tuple of the name
            and the order of its axes.
        skip_mismatch: Whether to load only the weights that fit.

    Raises:
        ValueError: A path is not that of a weight, or an order is not one of its axes.
        ModelFileError: The file is damaged, or an array is missing or does not fit.
    """
    variables = {variable.path: variable for variable in model.weights}
    for path_of_weight in names:
        if path_of_weight not in variables:
            raise ValueError(
                f"`load_weights`: the model {model.name!r} has no weight {path_of_weight!r}."
                f"{suggestion(str(path_of_weight), variables)} Its weights: "
                f"{', '.join(variables)[:400]}."
            )
    with open_foreign_tensors(path) as file, file_error_context(path, "its weights do not fit"):
        renamed = _Renamed(file, names)
        owner = f"the model {model.name!r}"
        fitting = check_arrays(renamed, variables, {*renamed.entries}, owner, skip_mismatch)
        arrays = {name: renamed.read(name) for name in fitting}
    for name, array in arrays.items():
        variables[name].assign(array)
