"""Models from model files and from JSON."""

from collections.abc import Mapping
from typing import Any

import jax

from fjax.core import InputLayer
from fjax.custom_objects import find_custom
from fjax.models.compile_config import describes_compile
from fjax.models.file_content import LOSS_NAMES, OWN_COMPILE, load_train_state
from fjax.models.model import Model
from fjax.models.sequential import Sequential
from fjax.storage import (
    ModelFileError,
    config_values,
    decode,
    file_error_context,
)
from fjax.storage.array_store import open_arrays
from fjax.storage.strict_json import parse_json
from fjax.storage.versions import check_format, migrate, upgrade_hint
from fjax.typing import PyTree

# The model classes of fjax that a file may name. A user's class cannot replace one of them.
CLASSES: Mapping[str, type[Model]] = {"Model": Model, "Sequential": Sequential}


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True
) -> Any:
    """Return the model that `Model.save` wrote, ready to use and to continue training.

    Models that Keras has saved, as `.keras` or `.h5`, are loaded by the same rules. Loading imports
    nothing that a file names, and runs no code from it. Layers are created from names that fjax
    knows or that you pass or have registered. The shape of every array is compared with the shape
    that the layers expect before the array is read.

    Args:
        filepath: The file, with any extension.
        custom_objects: Your own classes and functions by name, in addition to those registered
            with `fjax.saving.register_serializable`.
        compile: Whether to compile the model with the saved arguments, and to restore the
            optimizer's state.

    Raises:
        ModelFileError: The file is not a model file, is damaged, or contains something unknown or
            inconsistent; the message says where.

    Source: Keras's page "Whole model saving & loading".

    >>> import tempfile, numpy as np
    >>> from fjax.layers import Dense, Input
    >>> model = Sequential([Input((3,)), Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/model.h5")
    ...     loaded = load_model(f"{folder}/model.h5")
    >>> bool((loaded.predict(np.ones((1, 3)), verbose=0) == model(np.ones((1, 3)))).all())
    True
    """
    from fjax.models.keras_files.loading import load_keras_model
    from fjax.models.keras_files.weights import keras_file

    custom = custom_objects or {}
    with keras_file(filepath) as file_of_keras:
        if file_of_keras is not None:
            return load_keras_model(filepath, file_of_keras, custom, compile)
    with open_arrays(filepath, "model") as file:
        document = file.read_document()
        hint = upgrade_hint(file.metadata)
        with file_error_context(filepath, "its model cannot be created", hint):
            model = _create_model(document, custom)
            if document["compile"] is not None and compile:
                _compile(model, document["compile"], custom)
            if document["inputs"] is not None:
                load_train_state(model, file, document)
            elif file.entries:
                raise ModelFileError(filepath, "it has arrays, but does not describe any inputs")
            return model


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model that `Model.to_json` described, with newly drawn weights.

    Args:
        json_string: The JSON text.
        custom_objects: Your own classes and functions by name.

    Raises:
        ValueError: The text is not the description of a model, or contains an unknown name.

    >>> from fjax.layers import Dense, Input
    >>> model = Sequential([Input((3,)), Dense(2)])
    >>> model_from_json(model.to_json()).output_shape
    (None, 2)
    """
    document = parse_json(json_string)
    if not isinstance(document, dict):
        raise ValueError(f"the JSON of a model must be an object, received {str(document)[:80]!r}")
    described = {key: value for key, value in document.items() if key != "fjax"}
    config_values("the model", described, ("format", "version", "model", "inputs"))
    version = check_format(document, ("model",))
    try:
        return _create_model(migrate(described, version), custom_objects or {})
    except ValueError as error:
        hint = upgrade_hint(document)
        raise ValueError(f"{error}{hint}") from error if hint else None


def _create_model(document: Any, custom_objects: Mapping[str, Any]) -> Any:
    """Return the model of a document, built for its inputs."""
    description = document["model"]
    config = description["config"]
    if description.keys() == {"class", "config"}:
        if description["class"] not in CLASSES:
            raise ValueError(f"fjax has no model class {description['class']!r}")
        model = CLASSES[description["class"]].from_config(config, custom_objects)
    else:
        _, name = config_values("the model", description, ("config", "custom"))
        cls = find_custom("class", name, custom_objects)
        if not issubclass(cls, Model):
            raise ValueError(f"the custom name {name!r} must be a class of models, but is {cls!r}")
        if cls.describes_layers():
            model = cls.from_config(config, custom_objects)
        else:
            model = cls.from_config({k: decode(v, custom_objects) for k, v in config.items()})
    if document["inputs"] is not None and not model.built:
        _build(model, decode(document["inputs"], custom_objects))
    return model


def _compile(model: Any, arguments: Any, custom_objects: Mapping[str, Any]) -> None:
    """Compile a model with the arguments of a file."""
    own = arguments.keys() == {OWN_COMPILE}
    encoded = arguments[OWN_COMPILE] if own else arguments
    decoded = {name: decode(value, custom_objects) for name, value in encoded.items()}
    if not own:
        names = decoded.pop(LOSS_NAMES, None)
        model.compile(**decoded)
        if names is not None:
            _set_loss_names(model, names)
    elif describes_compile(model):
        model.compile_from_config(decoded)
    else:
        raise ValueError(
            f"`{type(model).__name__}` has no `get_compile_config` and `compile_from_config`, "
            "which the file needs: define both, or load it with `compile=False`"
        )


def _set_loss_names(model: Any, names: Any) -> None:
    """Set the names of the losses in logs, as the user wrote them in `compile`."""
    config = model.model_parts.config

    def is_name(entry: Any) -> bool:
        return entry is None or isinstance(entry, str)

    expected, received = (
        str(jax.tree.structure(tree, is_leaf=is_name)) for tree in (config.loss_names, names)
    )
    leaves = jax.tree.leaves(names, is_leaf=is_name)
    if expected != received or not all(is_name(leaf) for leaf in leaves):
        raise ValueError(
            f"`{LOSS_NAMES}` must be names in the structure {config.loss_names!r}, received "
            f"{names!r}"
        )
    model.model_parts.set_config(config._replace(loss_names=names), model.model_parts.placement)


def _build(model: Any, inputs: PyTree) -> None:
    """Build a model for the declarations of its inputs."""
    layers = jax.tree.leaves(inputs)
    if not isinstance(inputs, tuple) or not all(isinstance(each, InputLayer) for each in layers):
        raise ValueError("its inputs must be a tuple of `InputLayer` objects")
    specs = jax.tree.map(lambda layer: layer.spec(0), inputs)
    model.model_parts.build(specs, [layer.shape for layer in layers])
