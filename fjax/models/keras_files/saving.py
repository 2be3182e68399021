"""Write the files of Keras: `.keras` and `.weights.h5`."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from fjax.core.naming import default_name
from fjax.models.compile_config import describes_compile
from fjax.models.joint_run import write_once
from fjax.models.keras_files.descriptions import describe_model
from fjax.optimizers.stateful import StatefulOptimizer
from fjax.storage.atomic import write_atomically
from fjax.storage.hdf5 import write_hdf5
from fjax.storage.keras_files.archive import CONFIG, METADATA, WEIGHTS
from fjax.storage.keras_files.encoding import encode_for_keras
from fjax.storage.keras_files.layout import (
    VARIABLES,
    arrays_beside_weights,
    group_names,
    locate_arrays,
)
from fjax.storage.strict_json import dump_json
from fjax.trees import branch

# The release of Keras whose format is written.
VERSION = "3.15.1"
_DATE = (1980, 1, 1, 0, 0, 0)


def is_keras_model_path(path: Any) -> bool:
    """Tell whether a name is that of a model file of Keras."""
    return str(path).endswith(".keras")


def is_keras_weights_path(path: Any) -> bool:
    """Tell whether a name is that of a weight file of Keras."""
    return str(path).endswith(".weights.h5")


def save_keras_model(model: Any, path: Any, include_optimizer: bool) -> None:
    """Write a `.keras` file, which Keras loads; see `Model.save`.

    Raises:
        ImportError: h5py is not installed.
        TypeError: The model contains something that Keras does not have.
    """
    description = describe_model(model)
    compiled = model.model_parts.config is not None and include_optimizer
    if compiled:
        description["compile_config"] = _compile_config(model)
    members: dict[str, str | bytes] = {
        METADATA: dump_json({"keras_version": VERSION, "date_saved": "1980-01-01@00:00:00"}),
        CONFIG: dump_json(description),
        WEIGHTS: _weights(model, compiled),
    }
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content)
    write_once(
        "`save`", model.model_parts.placement,
        lambda: write_atomically(path, lambda: [memory.getbuffer()]),
    )  # fmt: skip


def save_keras_weights(model: Any, path: Any) -> None:
    """Write a `.weights.h5` file, which Keras loads; see `Model.save_weights`.

    Raises:
        ImportError: h5py is not installed.
    """
    config = model.model_parts.config
    # Keras warns if a compiled model finds no state of its optimizer in the file.
    with_optimizer = config is not None and isinstance(config.optimizer, StatefulOptimizer)
    content = _weights(model, with_optimizer)
    write_once(
        "`save_weights`", model.model_parts.placement,
        lambda: write_atomically(path, lambda: [content]),
    )  # fmt: skip


def _weights(model: Any, with_optimizer: bool) -> bytes:
    network, train_state = model.layer_tree, None
    if model.built:
        train_state = model.model_parts.placement.readable(model.train_state)
    arrays: dict[str, Any] = {}
    names: dict[str, Mapping[str, str]] = {VARIABLES: {"name": model.name}}
    if train_state is not None:
        trees = {"params": train_state.params, "state": train_state.state}
        # A train state is sorted by name; the shapes are in Keras's order.
        shapes = model.layer_shapes
        for located in locate_arrays(network, shapes.params, shapes.state):
            if not located.is_optional:
                arrays[located.name] = np.asarray(branch(trees, located.path))
        arrays |= arrays_beside_weights(network)
        names |= {f"{group}/{VARIABLES}": {"name": name} for group, name in group_names(network)}
    if with_optimizer and train_state is not None:
        optimizer = model.optimizer
        entries = optimizer.in_variables.layout.entries
        for number, (variable, entry) in enumerate(zip(optimizer.variables, entries, strict=True)):
            value = variable.numpy()
            is_negative = entry.name in optimizer.keras_negative_slots
            arrays[f"optimizer/{VARIABLES}/{number}"] = -value if is_negative else value
        names[f"optimizer/{VARIABLES}"] = {"name": _optimizer_name(optimizer.optimizer)}
    memory = io.BytesIO()
    write_hdf5(memory, arrays, names)
    return memory.getvalue()


def _optimizer_name(optimizer: Any) -> str:
    return getattr(optimizer, "name", None) or default_name(optimizer)


def _compile_config(model: Any) -> dict[str, Any]:
    if describes_compile(model):
        label = f"`{type(model).__name__}`: `get_compile_config()`"
        return {str(k): encode_for_keras(v, label) for k, v in model.get_compile_config().items()}
    config = model.model_parts.config
    steps = {"train_step": config.train_step, "test_step": config.test_step}
    for name, step in steps.items():
        if step is not None:
            raise TypeError(
                f"`compile`: `{name}` is a function of fjax, which a `.keras` file cannot hold: "
                "save with `include_optimizer=False`, or with another extension, such as `.fjax`."
            )
    arguments = {
        name: encode_for_keras(_listed(getattr(config, name)), f"`compile`: `{name}`")
        for name in ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
    }
    return {
        **arguments,
        "run_eagerly": model.run_eagerly, "steps_per_execution": 1, "jit_compile": True,
    }  # fmt: skip


def _listed(value: Any) -> Any:
    """Return None for no metrics, as Keras has it."""
    return None if isinstance(value, tuple | dict) and not value else value
