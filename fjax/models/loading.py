"""Models from files and from words."""

from collections.abc import Mapping
from typing import Any

import jax

from fjax.core import InputLayer
from fjax.models.model import Model
from fjax.models.model_file import fill
from fjax.models.network_with_weights import entries
from fjax.models.sequential import Sequential
from fjax.storage import ModelFileError, decode, file_error_context, open_tensors
from fjax.storage.registration import find_custom
from fjax.storage.strict_json import parsed
from fjax.storage.versions import check_stamp, migrated, newer_release
from fjax.typing import PyTree

# The models that a file may name; a user's stand beside it, and never in its place.
CLASSES: Mapping[str, type[Model]] = {"Model": Model, "Sequential": Sequential}


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True
) -> Any:
    """Return the model that `Model.save` wrote, ready to be used and to be trained on.

    Nothing that a file says is imported or run: layers are made of the names that fjax knows and
    of those that you give or registered, and every array is held against what the layers say
    it must be before it is read.

    Args:
        filepath: The file, whatever its name ends in.
        custom_objects: Classes and functions of your own, by name, beside those of
            `fjax.saving.register_serializable`.
        compile: Whether to compile it as it was, and to take over the optimizer's state.

    Raises:
        ModelFileError: The file is none of ours, is damaged, or has something that is not known
            or does not fit; the message says where.

    Source: Keras's page "Whole model saving & loading".

    >>> import tempfile, numpy as np
    >>> from fjax.layers import Dense, Input
    >>> model = Sequential([Input((3,)), Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/model.h5")
    ...     again = load_model(f"{folder}/model.h5")
    >>> bool((again.predict(np.ones((1, 3)), verbose=0) == model(np.ones((1, 3)))).all())
    True
    """
    with open_tensors(filepath, "model") as file:
        document = file.document()
        with file_error_context(filepath, "its model cannot be made", newer_release(file.metadata)):
            model = _made(document, custom_objects or {})
            if document["compile"] is not None and compile:
                _compile(model, document["compile"], custom_objects or {})
            if document["inputs"] is None:
                if file.entries:
                    raise ModelFileError(filepath, "it has arrays, and no inputs of a model")
                return model
            fill(model, file, document)
            return model


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model that `Model.to_json` told, with weights of its own.

    Args:
        json_string: The words.
        custom_objects: Classes and functions of your own, by name.

    Raises:
        ValueError: They are not such words, or have something that is not known.

    >>> from fjax.layers import Dense, Input
    >>> model = Sequential([Input((3,)), Dense(2)])
    >>> model_from_json(model.to_json()).output_shape
    (None, 2)
    """
    document = parsed(json_string)
    if not isinstance(document, dict):
        raise ValueError(f"a model's JSON must be an object, found {str(document)[:80]!r}")
    known = {key: value for key, value in document.items() if key != "fjax"}
    entries("the model", known, ("format", "version", "model", "inputs"))
    version = check_stamp(document, ("model",))
    try:
        return _made(migrated(known, version), custom_objects or {})
    except ValueError as error:
        later = newer_release(document)
        raise ValueError(f"{error}{later}") from error if later else None


def _made(document: Any, custom_objects: Mapping[str, Any]) -> Any:
    """Return the model of a document, built for its inputs."""
    whole = document["model"]
    config = whole["config"]
    if whole.keys() == {"class", "config"}:
        if whole["class"] not in CLASSES:
            raise ValueError(f"fjax has no model class {whole['class']!r}")
        model = CLASSES[whole["class"]].from_config(config, custom_objects)
    else:
        _, name = entries("the model", whole, ("config", "custom"))
        cls = find_custom("class", name, custom_objects)
        if not issubclass(cls, Model):
            raise ValueError(f"the custom name {name!r} must be a class of models, it is {cls!r}")
        if cls.describes_layers():
            model = cls.from_config(config, custom_objects)
        else:
            model = cls.from_config({k: decode(v, custom_objects) for k, v in config.items()})
    if document["inputs"] is not None and not model.built:
        _build(model, decode(document["inputs"], custom_objects))
    return model


def _build(model: Any, declared: PyTree) -> None:
    """Build a model for declared inputs."""
    layers = jax.tree.leaves(declared)
    if not isinstance(declared, tuple) or not all(isinstance(i, InputLayer) for i in layers):
        raise ValueError("its inputs are no declarations of inputs")
    specs = jax.tree.map(lambda layer: layer.spec(0), declared)
    model.model_parts.architecture.build(specs, [layer.shape for layer in layers])


def _compile(model: Any, told: Mapping[str, Any], custom_objects: Mapping[str, Any]) -> None:
    model.compile(**{name: decode(value, custom_objects) for name, value in told.items()})
