"""Convert between a model and the parts that its files contain."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from fjax.custom_objects import registered_name
from fjax.models.compile_arguments import loss_names
from fjax.models.compile_config import describes_compile
from fjax.models.joint_run import write_once
from fjax.storage import encode
from fjax.storage.array_store import ArrayReader, store_for_path
from fjax.storage.background import BackgroundTask
from fjax.storage.model_file import (
    FileContent,
    architecture_json,
    check_target,
    encode_compile_args,
    encode_inputs,
    read_weights,
    start_model,
    start_weights,
)
from fjax.storage.train_state import (
    TrainStateShapes,
    named_specs,
    read_train_state,
    replace_leaves,
    train_state_shapes,
)
from fjax.training import TrainState

# The entry of the compile arguments of a model that describes them by `get_compile_config`.
OWN_COMPILE = "own"

# The entry of the compile arguments with the names of losses that their objects do not have.
LOSS_NAMES = "loss_names"

_FILES = "A model file has no files within it: return what the layer needs from `get_config`."
_WEIGHTS = (
    "A file has all weights: make what is to be saved a weight by `add_weight(trainable=False)`."
)
_SHAPES = (
    "A file has the shapes of the model's inputs, for which the loaded model is built: return what "
    "else `build` needs from `get_config`."
)

# The methods of Keras that change what is saved of a layer, and what takes their place.
_HOOKS = {
    "save_assets": _FILES, "load_assets": _FILES,
    "save_own_variables": _WEIGHTS, "load_own_variables": _WEIGHTS,
    "get_build_config": _SHAPES, "build_from_config": _SHAPES,
}  # fmt: skip


def save(model: Any, path: Any, overwrite: bool, include_optimizer: bool) -> None:
    """Write a model file; see `Model.save`."""
    from fjax.models.keras_files.saving import is_keras_model_path, save_keras_model

    check_target(path, overwrite)
    _refuse_hooks(model.layer_tree)
    if is_keras_model_path(path):
        save_keras_model(model, path, include_optimizer)
        return
    placement = model.model_parts.placement
    # Weights that a user has set may be on one device.
    train_state = placement.shard(model.train_state) if model.built else None
    content = _content(model, train_state, include_optimizer)
    with closing(store_for_path(path, placement)) as store:
        if store.is_joint:
            start_model(path, content, store)()
            return
        content = content._replace(train_state=placement.readable(train_state))
        write_once("`save`", placement, lambda: start_model(path, content, store)())


def async_save(model: Any, path: Any, overwrite: bool, weights_only: bool) -> BackgroundTask:
    """Write a model file or a weight file in the background; see `Model.async_save`."""
    from fjax.models.keras_files.saving import is_keras_model_path, is_keras_weights_path

    check_target(path, overwrite, "async_save")
    _refuse_hooks(model.layer_tree)
    if is_keras_model_path(path) or is_keras_weights_path(path):
        raise ValueError(
            f"`async_save`: {str(path)!r} has the extension of a file of Keras, which is not "
            "written in the background: use `save`, or another extension."
        )
    store = store_for_path(path, model.model_parts.placement)
    train_state = store.snapshot(model.train_state)
    if weights_only:
        finish = start_weights(path, train_state.params, train_state.state, store)
    else:
        finish = start_model(path, _content(model, train_state, include_optimizer=True), store)

    def finish_and_close() -> None:
        with closing(store):
            finish()

    task = BackgroundTask()
    task.start(finish_and_close)
    return task


def _content(model: Any, train_state: TrainState | None, include_optimizer: bool) -> FileContent:
    return FileContent(
        architecture=describe_architecture(model),
        compile_args=_saved_compile_args(model) if include_optimizer else None,
        train_state=train_state,
    )


def _refuse_hooks(layer: Any) -> None:
    """Raise TypeError if a layer has a method of Keras that says how it is saved.

    A file has the arguments of `__init__`, all weights and the shapes of the inputs; what such a
    method adds to Keras's file would be missing.
    """
    author = getattr(layer, "author", layer)
    for hook, advice in _HOOKS.items():
        if hasattr(author, hook):
            raise TypeError(
                f"`{type(author).__name__}.{hook}`: saving calls no methods of a layer but "
                f"`get_config`. {advice} Then remove `{hook}`."
            )
    for _, child in layer.children() if hasattr(layer, "children") else ():
        _refuse_hooks(child)


def save_weights(model: Any, path: Any, overwrite: bool) -> None:
    """Write a weight file; see `Model.save_weights`."""
    from fjax.models.keras_files.saving import is_keras_weights_path, save_keras_weights

    check_target(path, overwrite)
    _refuse_hooks(model.layer_tree)
    if is_keras_weights_path(path):
        save_keras_weights(model, path)
        return
    placement = model.model_parts.placement
    train_state = model.train_state
    params, state = placement.shard_weights(train_state.params, train_state.state)
    with closing(store_for_path(path, placement)) as store:
        if store.is_joint:
            start_weights(path, params, state, store)()
            return
        params, state = placement.readable((params, state))
        write_once("`save_weights`", placement, lambda: start_weights(path, params, state, store)())


def load_weights(model: Any, path: Any, skip_mismatch: bool, names: Any = None) -> None:
    """Load the weights of a file; see `Model.load_weights`."""
    from fjax.models.keras_files.weights import keras_file, load_keras_weights
    from fjax.models.named_weights import load_named_weights

    if names is not None:
        load_named_weights(model, path, names, skip_mismatch)
        return
    with keras_file(path) as file_of_keras:
        if file_of_keras is not None:
            load_keras_weights(model, path, file_of_keras, skip_mismatch)
            return
    shapes = TrainStateShapes(model.layer_shapes.params, model.layer_shapes.state, opt_state=())
    specs = named_specs(shapes, model.model_parts.placement)
    arrays = read_weights(path, model.name, specs, skip_mismatch)
    train_state = model.train_state
    model.train_state = train_state._replace(
        params=replace_leaves("params", train_state.params, arrays),
        state=replace_leaves("state", train_state.state, arrays),
        opt_state=(),
    )


def to_json(model: Any) -> str:
    """Return the architecture as JSON; see `Model.to_json`."""
    return architecture_json(describe_architecture(model))


def load_train_state(model: Any, file: ArrayReader, document: Mapping[str, Any]) -> None:
    """Load the train state of a file, after comparing all arrays with the model.

    Args:
        model: The model, built; it is compiled if the optimizer's state is to be loaded.
        file: The open file.
        document: The file's document.

    Raises:
        ModelFileError: An array is missing, unexpected, or of another shape or dtype.
    """
    # A model that is loaded with `compile=False` leaves the optimizer's state in the file.
    leaves_optimizer = model.model_parts.config is None and document["compile"] is not None
    ignored = ("opt_state.",) if leaves_optimizer else ()
    placement = model.model_parts.placement
    train_state = read_train_state(file, document, expected_train_state(model), ignored, placement)
    model.model_parts.weights.adopt(train_state)


def describe_architecture(model: Any) -> dict[str, Any]:
    """Return a model's class, configuration and inputs as plain data."""
    cls = type(model)
    description: dict[str, Any] = {"config": model.get_config()}
    if cls.__module__.startswith("fjax."):
        description["class"] = cls.__name__
    else:
        description["custom"] = registered_name(cls)
        if not cls.describes_layers():
            # Checks that `__init__` takes what `get_config` returns.
            description["config"] = encode(model)["config"]
    inputs = None
    if model.built:
        specs, sample_shapes, _ = model.model_parts.architecture.built
        inputs = encode_inputs(specs, sample_shapes)
    return {"model": description, "inputs": inputs}


def describe_compile_args(model: Any) -> dict[str, Any] | None:
    """Return the arguments of `compile` as plain data; None if the model is not compiled."""
    config = model.model_parts.config
    if config is None:
        return None
    arguments = config._asdict()
    # Not an argument of `compile`, which derives it from the losses.
    del arguments["loss_names"]
    encoded = encode_compile_args(arguments)
    return {**encoded, "run_eagerly": model.run_eagerly}


def _saved_compile_args(model: Any) -> dict[str, Any] | None:
    """Return the arguments of `compile`, or what a class describes them by."""
    config = model.model_parts.config
    if config is None or not describes_compile(model):
        described = describe_compile_args(model)
        if described is not None and config.loss_names != loss_names(config.loss):
            described[LOSS_NAMES] = encode(config.loss_names)
        return described
    return {OWN_COMPILE: encode_compile_args(model.get_compile_config())}


def expected_train_state(model: Any) -> TrainStateShapes:
    """Return the shapes of a model's train state between two epochs."""
    config = model.model_parts.config
    optimizer = None if config is None else config.optimizer
    return train_state_shapes(model.model_parts.architecture.network, model.layer_shapes, optimizer)
