"""Arrays from the files of Keras, compared with a model before they are read."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fjax.errors import warn_user
from fjax.layers.text.vocabulary import IDF_WEIGHTS
from fjax.storage.errors import ModelFileError
from fjax.storage.hdf5 import Hdf5File
from fjax.storage.keras_files.layout import VARIABLES
from fjax.storage.train_state import describe_mismatches, fits

OPTIMIZER = "optimizer/vars/"
# What Keras keeps of random numbers and metrics is not part of a model, and the weights of the
# tokens of a vocabulary are read with it.
_IGNORED = ("seed_generator", "_seed_generator", IDF_WEIGHTS)
LAYER_NAMES, WEIGHT_NAMES = "layer_names", "weight_names"
TOP_LEVEL = "top_level_model_weights"


def check_arrays(
    file: Any, expected: Mapping[str, Any], names: set[str], owner: str, skip_mismatch: bool
) -> set[str]:
    """Return the names of the arrays that fit, after comparing shapes and dtypes.

    Args:
        file: The file.
        expected: The expected shapes and dtypes by name.
        names: The names of the arrays of the file that the model must have.
        owner: The model or layer, for errors.
        skip_mismatch: Whether to leave out the arrays that do not fit, with a warning.

    Raises:
        ModelFileError: An array is missing, unexpected, or of another shape or dtype.
    """
    mismatches = describe_mismatches(file, expected, names)
    if mismatches and not skip_mismatch:
        raise ModelFileError(file.path, f"its weights do not fit {owner}: {mismatches}")
    if mismatches:
        warn_user(f"{str(file.path)!r}: skipped what does not fit {owner}: {mismatches}")
    return {name for name in expected if name in names and fits(file, name, expected[name])}


def layer_arrays(file: Hdf5File, group: str, name: str) -> list[np.ndarray]:
    """Return the arrays of a layer in order, by its group or, in a `.h5` file, by its name."""
    if is_legacy(file):
        names = dict(legacy_layers(file)).get(name, [])
    else:
        prefix = f"{group}/{VARIABLES}/"
        names = sorted(
            (each for each in file.entries if each.startswith(prefix)),
            key=lambda each: (len(each), each),
        )
        names = [each for each in names if each.removeprefix(prefix).isdigit()]
    return [file.read(each) for each in names]


def named_array(file: Hdf5File, group: str, name: str) -> np.ndarray | None:
    """Return an array that a layer of a `.weights.h5` file has under a name, or None."""
    path = f"{group}/{VARIABLES}/{name}"
    return file.read(path) if path in file.entries else None


def model_arrays(file: Hdf5File) -> set[str]:
    """Return the names of the arrays of a `.weights.h5` file that are weights of a model."""
    return {
        name
        for name in file.entries
        if not name.startswith("optimizer/") and not set(name.split("/")) & {*_IGNORED}
    }


def is_legacy(file: Hdf5File) -> bool:
    """Tell whether a file has its weights by layer and in order, as `.h5` files of Keras do."""
    groups = ("", "model_weights")
    return any(g in file.groups and file.texts(g, LAYER_NAMES) is not None for g in groups)


def legacy_layers(file: Hdf5File) -> list[tuple[str, list[str]]]:
    """Return the layers of a `.h5` file that have weights, with the names of their arrays.

    Raises:
        ModelFileError: A layer or an array is missing.
    """
    root = "model_weights" if "model_weights" in file.groups else ""
    prefix = f"{root}/" if root else ""
    layers = []
    for name in [*(file.texts(root, LAYER_NAMES) or []), TOP_LEVEL]:
        group = f"{prefix}{name}"
        if group not in file.groups:
            if name == TOP_LEVEL:
                continue
            raise ModelFileError(file.path, f"it has no group for the layer {name[:80]!r}")
        arrays = [f"{group}/{each}" for each in file.texts(group, WEIGHT_NAMES) or []]
        missing = [each for each in arrays if each not in file.entries]
        if missing:
            raise ModelFileError(file.path, f"the array {missing[0][-80:]!r} is missing")
        if arrays:
            layers.append((name, arrays))
    return layers


def optimizer_arrays(file: Hdf5File) -> list[str]:
    """Return the names of the arrays of an optimizer, in order.

    Raises:
        ModelFileError: One of them is missing.
    """
    if "optimizer_weights" in file.groups:
        names = file.texts("optimizer_weights", WEIGHT_NAMES) or []
        arrays = [f"optimizer_weights/{name}" for name in names]
    else:
        count = sum(name.startswith(OPTIMIZER) for name in file.entries)
        arrays = [f"{OPTIMIZER}{number}" for number in range(count)]
    missing = [name for name in arrays if name not in file.entries]
    if missing:
        raise ModelFileError(file.path, f"the array {missing[0][-80:]!r} is missing")
    return arrays
