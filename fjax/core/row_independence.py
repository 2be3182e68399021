"""Networks that process each row of a batch independently."""

from typing import Any

from fjax.configuration import Configured, fields_ending
from fjax.core.adapters import as_layer
from fjax.core.function_traits import function_has_trait
from fjax.core.layer import Layer
from fjax.traits import has_trait


def rows_are_independent(layer: Any) -> bool:
    """Return whether a network is known to process each row of a batch independently.

    Each layer declares it by its trait `rows_independent`. User code is assumed to mix rows. So is
    a layer with an activity regularizer, whose penalty is a mean over the batch.

    >>> from fjax import serial
    >>> from fjax.layers import BatchNormalization, Dense
    >>> rows_are_independent(serial(Dense(2, "relu")))
    True
    >>> rows_are_independent(serial(BatchNormalization()))
    False
    """
    layer = as_layer(layer)
    if not isinstance(layer, Layer) or not has_trait(layer, "rows_independent"):
        return False
    if fields_ending(layer, "activity_regularizer"):
        return False
    functions = (value for value in vars(layer).values() if callable(value))
    functions_are_independent = all(
        isinstance(value, Configured) or function_has_trait(value, "rows_independent")
        for value in functions
    )
    return functions_are_independent and all(map(rows_are_independent, layer.inside()))
