"""Model files, with the names of `keras.saving`."""

from typing import Any

from fjax.models.loading import load_model as load_model
from fjax.storage import ModelFileError as ModelFileError
from fjax.storage import register_serializable as register_serializable
from fjax.storage.run_identity import ChangedRunError as ChangedRunError

# Keras's name of the same function.
register_keras_serializable = register_serializable


def save_model(model: Any, filepath: Any, overwrite: bool = True, **options: Any) -> None:
    """Save a model to one file: `model.save` as a function.

    Args:
        model: The model.
        filepath: The file.
        overwrite: Whether an existing file may be replaced.
        options: Further arguments of `Model.save`.
    """
    model.save(filepath, overwrite=overwrite, **options)


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"`fjax.saving` has no `{name}`. It has `load_model`, `save_model`, "
        "`register_serializable`, `ModelFileError` and `ChangedRunError`. To serialize a single "
        "layer, use its `get_config` and `from_config`."
    )
