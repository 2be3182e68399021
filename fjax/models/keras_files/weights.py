"""Load the weights of files of Keras: `.weights.h5`, `.h5` and `.keras`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core.weight_slot import Path
from fjax.storage import ModelFileError, file_error_context
from fjax.storage.hdf5 import Hdf5File, is_hdf5, open_hdf5
from fjax.storage.keras_files.archive import is_archive, open_archive
from fjax.storage.keras_files.layout import locate_arrays
from fjax.storage.keras_files.weights import (
    check_arrays,
    is_legacy,
    legacy_layers,
    model_arrays,
    optimizer_arrays,
)
from fjax.storage.regular_file import PROBLEM, open_regular_file
from fjax.trees import branch
from fjax.typing import PyTree


@contextmanager
def keras_file(path: Any) -> Iterator[BinaryIO | None]:
    """Open a file if it is one of Keras; yield None if it is another one, or a folder."""
    if os.path.isdir(path):
        yield None
        return
    with open_regular_file(path) as file:
        with file_error_context(path, PROBLEM):
            start = file.read(8)
            file.seek(0)
        yield file if is_archive(start) or is_hdf5(start) else None


def load_keras_weights(model: Any, path: Any, file: BinaryIO, skip_mismatch: bool) -> None:
    """Load the weights of a file of Keras; see `Model.load_weights`."""
    if is_archive(file.read(4)):
        with open_archive(path, file) as archive:
            weights = archive.open_weights()
    else:
        weights = read_hdf5(path, file)
    with file_error_context(path, "its weights cannot be loaded"):
        load_arrays(model, weights, skip_mismatch)


def read_hdf5(path: Any, file: BinaryIO) -> Hdf5File:
    """Return the HDF5 data of an open file."""
    with file_error_context(path, PROBLEM):
        file.seek(0)
        content = file.read()
    return open_hdf5(path, content)


def load_arrays(model: Any, file: Hdf5File, skip_mismatch: bool) -> None:
    """Load the weights of a model, after comparing all arrays with it.

    Raises:
        ModelFileError: An array is missing, unexpected, or of another shape or dtype.
    """
    shapes, owner = model.layer_shapes, f"the model {model.name!r}"
    if is_legacy(file):
        _load_legacy(model, file, owner, skip_mismatch)
        return
    located = [
        each
        for each in locate_arrays(model.layer_tree, shapes.params, shapes.state)
        if each.name in file.entries or not each.is_optional
    ]
    trees = {"params": shapes.params, "state": shapes.state}
    expected = {each.name: branch(trees, each.path) for each in located}
    fitting = check_arrays(file, expected, model_arrays(file), owner, skip_mismatch)
    arrays = {
        each.path: jnp.array(file.read(each.name), copy=True)
        for each in located
        if each.name in fitting
    }
    train_state = model.train_state
    model.train_state = train_state._replace(
        params=_filled(train_state.params, ("params",), arrays),
        state=_filled(train_state.state, ("state",), arrays),
        opt_state=(),
    )


def _filled(tree: PyTree, path: Path, arrays: Mapping[Path, Any]) -> PyTree:
    """Return params or state with the arrays of these paths."""
    if isinstance(tree, Mapping):
        return {name: _filled(value, (*path, name), arrays) for name, value in tree.items()}
    return arrays.get(path, tree)


def _load_legacy(model: Any, file: Hdf5File, owner: str, skip_mismatch: bool) -> None:
    """Load the weights of a `.h5` file, in which layers and weights are in order, as in Keras."""
    layers = [layer for layer in model.layers if layer.weights]
    saved = legacy_layers(file)
    if len(layers) != len(saved):
        raise ModelFileError(
            file.path,
            f"it has {len(saved)} layers with weights "
            f"({', '.join(name for name, _ in saved)[:200]}), but {owner} has {len(layers)} "
            f"({', '.join(layer.name for layer in layers)[:200]})",
        )
    loaded = []
    for layer, (name, arrays) in zip(layers, saved, strict=True):
        variables = [*layer.trainable_weights, *layer.non_trainable_weights]
        label = f"the layer {layer.name!r}, which is {name[:80]!r} in the file"
        if len(variables) != len(arrays):
            raise ModelFileError(
                file.path, f"it has {len(arrays)} weights, expected {len(variables)}, for {label}"
            )
        expected = dict(zip(arrays, variables, strict=True))
        fitting = check_arrays(file, expected, {*arrays}, label, skip_mismatch)
        loaded += [(expected[each], each) for each in arrays if each in fitting]
    for variable, array in loaded:
        variable.assign(file.read(array))


def load_optimizer(model: Any, file: Hdf5File) -> None:
    """Load the state of the optimizer; Keras saves one without slots before the first step."""
    names = optimizer_arrays(file)
    variables = model.optimizer.variables
    # Before the first step, Keras saves the number of steps, and the rate if that is a number.
    if len(names) <= 2 < len(variables):
        return
    if len(names) != len(variables):
        raise ValueError(
            f"the optimizer has {len(names)} arrays in the file, and {len(variables)} in fjax: "
            "load it with `compile=False`"
        )
    expected = dict(zip(names, variables, strict=True))
    check_arrays(file, expected, {*names}, "the optimizer", skip_mismatch=False)
    held = model.optimizer.in_variables
    state = held.layout.unflatten(read_optimizer(file, model.optimizer, names))
    store = model.model_parts.weights
    # The layout has no entries for layers without weights.
    structure = jax.tree.structure(store.train_state.opt_state)
    # One array of Keras may be several leaves, and training donates each of them.
    leaves = [jnp.array(leaf, copy=True) for leaf in jax.tree.leaves(state)]
    opt_state = jax.tree.unflatten(structure, leaves)
    store.adopt(store.train_state._replace(opt_state=opt_state))
    if held.iterations is not None:
        # A copy, because training donates the train state.
        step = jnp.array(held.iterations.value, jnp.int32, copy=True)
        store.adopt(store.train_state._replace(step=step))


def read_optimizer(file: Hdf5File, optimizer: Any, names: list[str]) -> list[np.ndarray]:
    """Return the arrays of an optimizer with the signs that they have in fjax."""
    return [
        -file.read(name) if entry.name in optimizer.keras_negative_slots else file.read(name)
        for name, entry in zip(names, optimizer.in_variables.layout.entries, strict=True)
    ]
