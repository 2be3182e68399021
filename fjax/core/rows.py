"""Which networks treat each row of a batch for itself."""

from typing import Any

from fjax.configuration import Configured, fields_ending
from fjax.core.calling import is_authored
from fjax.core.layer import Layer

# Whose outputs for one row depend on the other rows in training.
SHARING = frozenset({"BatchNormalization", "ActivityRegularization"})


def rows_are_apart(layer: Any) -> bool:
    """Tell whether what a network makes of a row is known not to depend on the rows beside it.

    Of what a user wrote it is not known; nor of a layer that charges for its outputs, a mean over
    the batch.

    >>> from fjax import serial
    >>> from fjax.layers import BatchNormalization, Dense
    >>> rows_are_apart(serial(Dense(2, "relu"))), rows_are_apart(serial(BatchNormalization()))
    (True, False)
    """
    if not isinstance(layer, Layer):
        module = getattr(layer, "__module__", None) or type(layer).__module__
        return module.startswith("fjax.")
    if is_authored(layer) or not type(layer).__module__.startswith("fjax."):
        return False
    if type(layer).__name__ in SHARING or fields_ending(layer, "activity_regularizer"):
        return False
    # What a layer carries from batch to batch has the rows of the first.
    if getattr(layer, "stateful", False) or not _is_within_rows(getattr(layer, "axis", -1)):
        return False
    functions = (value for value in vars(layer).values() if callable(value))
    known = all(isinstance(value, Configured) or _is_known(value) for value in functions)
    return known and all(map(rows_are_apart, layer.inside()))


def _is_within_rows(axis: Any) -> bool:
    # Counted from the end any other axis than the last may be that of the batch.
    axes = axis if isinstance(axis, list | tuple) else (axis,)
    return all(one is None or one == -1 or one > 0 for one in axes)


def _is_known(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    return module.split(".")[0] in ("fjax", "jax")
