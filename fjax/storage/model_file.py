"""Model files and weight files.

A model file has one JSON document (the model's class and architecture, its inputs, the compile
arguments and the position of the training) and the arrays of the train state.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax

from fjax.core import InputLayer
from fjax.core.placeholders import PLACEHOLDER_SIZES
from fjax.errors import warn_user
from fjax.storage.array_store import ArrayStore, open_arrays
from fjax.storage.encoding import encode
from fjax.storage.errors import ModelFileError
from fjax.storage.sharded_folder import is_sharded_folder
from fjax.storage.strict_json import dump_json
from fjax.storage.tensors import write_tensors
from fjax.storage.train_state import (
    describe_mismatches,
    fits,
    train_state_document,
    train_state_tensors,
    weight_tensors,
)
from fjax.storage.versions import format_metadata
from fjax.training import TrainState
from fjax.typing import PyTree


class FileContent(NamedTuple):
    """The parts of a model that a model file holds.

    Attributes:
        architecture: The model's class, its configuration and its inputs, as plain data.
        compile_args: The arguments of `compile`, as plain data; None if they are left out.
        train_state: The train state; None if the model has no weights yet.
    """

    architecture: Mapping[str, Any]
    compile_args: Mapping[str, Any] | None
    train_state: TrainState | None


def start_model(path: Any, parts: FileContent, store: ArrayStore) -> Callable[[], None]:
    """Start to write a model file, and return the function that finishes it; see `ArrayStore`."""
    document = {**parts.architecture, "compile": parts.compile_args}
    tensors = {}
    train_state = parts.train_state
    if train_state is not None:
        if parts.compile_args is None:
            train_state = train_state._replace(opt_state=())
        document |= train_state_document(train_state)
        tensors = train_state_tensors(train_state)
    metadata = {**format_metadata("model"), "document": dump_json(document)}
    return store.start(Path(path).absolute(), tensors, metadata)


def start_weights(
    path: Any, params: PyTree, state: PyTree, store: ArrayStore
) -> Callable[[], None]:
    """Start to write a file of weights, and return the function that finishes it."""
    tensors = weight_tensors(params, state)
    return store.start(Path(path).absolute(), tensors, format_metadata("weights"))


def write_plain_weights(path: Any, params: PyTree, state: PyTree) -> None:
    """Write the arrays of the layers for other readers of safetensors, atomically.

    The names have no prefix, as in `dense.kernel`. The header names the format as PyTorch's files
    do, because readers of Hugging Face refuse files without a framework.

    Raises:
        ValueError: A weight of `params` and one of `state` have the same name.
    """
    tensors: dict[str, Any] = {}
    for prefixed, array in weight_tensors(params, state).items():
        name = prefixed.partition(".")[2]
        if name in tensors:
            raise ValueError(f"Two weights would have the name {name!r} in the file: rename one.")
        tensors[name] = array
    write_tensors(path, tensors, {"format": "pt"})


def read_weights(
    path: Any, model_name: str, specs: Mapping[str, Any], skip_mismatch: bool
) -> dict[str, jax.Array]:
    """Return the layers' arrays of a model file or weight file by name.

    Args:
        path: The file.
        model_name: The name of the model in an error.
        specs: The expected shapes and dtypes by name, with the shardings to read them to.
        skip_mismatch: Whether to leave out the arrays that do not fit, with a warning.

    Raises:
        ModelFileError: The file cannot be read, or its arrays do not fit.
    """
    with open_arrays(path, "model", "weights") as file:
        names = {name for name in file.entries if name.startswith(("params.", "state."))}
        mismatches = describe_mismatches(file, specs, names)
        if mismatches and not skip_mismatch:
            raise ModelFileError(
                path, f"its weights do not fit the model {model_name!r}: {mismatches}"
            )
        if mismatches:
            warn_user(f"{str(path)!r}: skipped what does not fit: {mismatches}")
        return file.read_placed(
            {name: spec for name, spec in specs.items() if name in names and fits(file, name, spec)}
        )


def architecture_json(architecture: Mapping[str, Any]) -> str:
    """Return an architecture as JSON, with the version of the format."""
    return dump_json({**format_metadata("model"), **architecture})


def encode_inputs(specs: PyTree, shapes: Sequence[tuple[int | None, ...]]) -> Any:
    """Return the declarations of a model's inputs as plain data.

    Args:
        specs: The specs that the model was built for.
        shapes: For each of them the shape of one sample, with None for axes of any size.
    """
    remaining = iter(shapes)

    def declare(spec: Any) -> InputLayer:
        placeholder_batch, _ = PLACEHOLDER_SIZES[0]
        batch_size = None if spec.shape[0] == placeholder_batch else spec.shape[0]
        return InputLayer(shape=next(remaining), batch_size=batch_size, dtype=spec.dtype.name)

    return encode(jax.tree.map(declare, specs))


def encode_compile_args(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `compile` as plain data.

    Raises:
        TypeError: An argument contains something that has no name, such as a lambda.
    """
    encoded = {}
    for name, value in arguments.items():
        try:
            encoded[name] = encode(value, f"`compile`: `{name}`")
        except TypeError as error:
            raise TypeError(
                f"{error} To save the model without it: `save(…, include_optimizer=False)`."
            ) from None
    return encoded


def check_target(path: Any, overwrite: bool, function: str = "save") -> None:
    """Raise an error if a file cannot or must not be written to this path.

    Args:
        path: The file.
        overwrite: Whether an existing file may be replaced.
        function: The function that writes it, for the error.

    Raises:
        FileNotFoundError: The folder does not exist.
        IsADirectoryError: The path is a folder, and no model that `ShardedStore` has written.
        FileExistsError: The file exists, and `overwrite` is False.
    """
    folder = os.path.dirname(os.path.abspath(os.fspath(path)))
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"`{function}`: the folder {folder!r} does not exist: create it first."
        )
    if os.path.isdir(path) and not is_sharded_folder(Path(path)):
        raise IsADirectoryError(
            f"`{function}`: {str(path)!r} is a folder: give the name of a file."
        )
    if not overwrite and os.path.exists(path):
        raise FileExistsError(
            f"`{function}`: the file {str(path)!r} exists, and `overwrite` is False: choose "
            "another name, or pass `overwrite=True`."
        )
