"""`save_model`, `save_weights` and `load_weights`: methods of a model as functions."""

from typing import Any


def save_model(model: Any, filepath: Any, overwrite: bool = True, **options: Any) -> None:
    """Save a model to one file: `model.save` as a function.

    Args:
        model: The model.
        filepath: The file.
        overwrite: Whether an existing file may be replaced.
        options: Further arguments of `Model.save`.
    """
    model.save(filepath, overwrite=overwrite, **options)


def save_weights(model: Any, filepath: Any, overwrite: bool = True, **options: Any) -> None:
    """Save the weights of a model to one file: `model.save_weights` as a function.

    Args:
        model: The model.
        filepath: The file.
        overwrite: Whether an existing file may be replaced.
        options: Further arguments of `Model.save_weights`.
    """
    model.save_weights(filepath, overwrite=overwrite, **options)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **options: Any) -> None:
    """Load the weights of a model from one file: `model.load_weights` as a function.

    Args:
        model: The model.
        filepath: The file.
        skip_mismatch: Whether to load only the weights that fit.
        options: Further arguments of `Model.load_weights`.
    """
    model.load_weights(filepath, skip_mismatch=skip_mismatch, **options)
