"""Models from the files of Keras: `.keras` and `.h5`."""

from collections.abc import Mapping
from functools import partial
from typing import Any, BinaryIO

from fjax.layers.text.vocabulary import IDF_WEIGHTS
from fjax.models.compile_config import describes_compile
from fjax.models.keras_files.configs import make_model
from fjax.models.keras_files.weights import load_arrays, load_optimizer, read_hdf5
from fjax.storage import ModelFileError, file_error_context
from fjax.storage.hdf5 import Hdf5File
from fjax.storage.keras_files.archive import CONFIG, is_archive, open_archive
from fjax.storage.keras_files.decoding import KerasDecoder, Vocabulary
from fjax.storage.keras_files.weights import layer_arrays, named_array
from fjax.storage.strict_json import parse_json

_COMPILE = frozenset({
    "optimizer", "optimizer_config", "loss", "loss_weights", "metrics", "weighted_metrics",
    "run_eagerly", "steps_per_execution", "jit_compile",
})  # fmt: skip


def load_keras_model(
    path: Any, file: BinaryIO, custom_objects: Mapping[str, Any], compile: bool
) -> Any:
    """Return the model of a `.keras` or `.h5` file; see `fjax.models.load_model`."""
    vocabularies: dict[str, list[str]] = {}
    if is_archive(file.read(4)):
        with open_archive(path, file) as archive:
            config, weights = archive.read_json(CONFIG), archive.open_weights()
            vocabularies = archive.read_vocabularies()
        compile_config = config.get("compile_config") if isinstance(config, dict) else None
    else:
        weights = read_hdf5(path, file)
        config, compile_config = (
            _json_text(weights, each) for each in ("model_config", "training_config")
        )
        if config is None:
            raise ModelFileError(
                path, "it has weights and no model: create the model, and call `load_weights`"
            )

    def read_vocabulary(group: str) -> Vocabulary | None:
        if group not in vocabularies:
            return None
        return Vocabulary(vocabularies[group], named_array(weights, group, IDF_WEIGHTS))

    decoder = KerasDecoder(
        custom_objects, make_model, partial(layer_arrays, weights), read_vocabulary
    )
    with file_error_context(path, "its model cannot be created"):
        model = decoder.decode_layer(config)
        if not hasattr(model, "model_parts"):
            raise ValueError(f"it contains {model!r}, which is not a model")
        _build(model, config)
        if compile and compile_config:
            _compile(model, decoder, compile_config)
    if model.built:
        with file_error_context(path, "its weights cannot be loaded"):
            load_arrays(model, weights, skip_mismatch=False)
            if compile and compile_config:
                load_optimizer(model, weights)
    return model


def _json_text(file: Hdf5File, attribute: str) -> Any:
    text = file.text("", attribute)
    with file_error_context(file.path, f"its {attribute!r} cannot be read"):
        return None if text is None else parse_json(text)


def _build(model: Any, config: Any) -> None:
    """Build a model whose layers do not tell the shape of its inputs."""
    described = config.get("build_config")
    shape = described.get("input_shape") if isinstance(described, dict) else None
    if not model.built and shape is not None:
        model.build(shape)


def _compile(model: Any, decoder: KerasDecoder, config: Any) -> None:
    arguments = {key: decoder.decode_field(key, value) for key, value in config.items()}
    if describes_compile(model):
        model.compile_from_config(arguments)
        return
    unknown = [key for key in arguments if key not in _COMPILE]
    if unknown:
        raise ValueError(
            f"`compile` has no argument {unknown[0][:80]!r}, and `{type(model).__name__}` has no "
            "`get_compile_config` and `compile_from_config`: define both, or load the file with "
            "`compile=False`"
        )
    if "optimizer_config" in arguments:
        arguments["optimizer"] = arguments.pop("optimizer_config")
    model.compile(**arguments)
