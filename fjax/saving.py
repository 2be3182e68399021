"""Models and files, under the names of Keras's `saving`."""

from typing import Any

from fjax.models.loading import load_model as load_model
from fjax.models.run_identity import ChangedRunError as ChangedRunError
from fjax.storage import ModelFileError as ModelFileError
from fjax.storage import register_serializable as register_serializable

# Keras's name for it.
register_keras_serializable = register_serializable


def save_model(model: Any, filepath: Any, overwrite: bool = True, **options: Any) -> None:
    """Write a model into one file: `model.save`, as a function.

    Args:
        model: The model.
        filepath: The file.
        overwrite: Whether a file that is there may be replaced.
        options: Further arguments of `Model.save`.
    """
    model.save(filepath, overwrite=overwrite, **options)


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"`fjax.saving` has no `{name}`. It has `load_model`, `save_model`, "
        "`register_serializable` and `ModelFileError`; a layer is told in words by `get_config` "
        "and made again by `from_config`."
    )
