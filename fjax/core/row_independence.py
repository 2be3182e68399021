"""Networks that process each row of a batch independently."""

from typing import Any

from fjax.configuration import Configured, fields_ending
from fjax.core.adapters import as_layer
from fjax.core.function_traits import function_has_trait
from fjax.core.layer import Layer
from fjax.traits import has_trait


def rows_are_independent(layer: Any, training: bool = True) -> bool:
    """Return whether a network is known to process each row of a batch independently.

    Each layer declares it by its trait `rows_independent`, or, for its outputs outside of training
    alone, `rows_independent_in_inference`. User code is assumed to mix rows. So is a layer with an
    activity regularizer, whose penalty is a mean over the batch.

    >>> from fjax import serial
    >>> from fjax.layers import BatchNormalization, Dense
    >>> rows_are_independent(serial(Dense(2, "relu")))
    True
    >>> rows_are_independent(serial(BatchNormalization()))
    False
    """
    layer = as_layer(layer)
    is_independent = has_trait(layer, "rows_independent") or (
        not training and has_trait(layer, "rows_independent_in_inference")
    )
    if not isinstance(layer, Layer) or not is_independent:
        return False
    if fields_ending(layer, "activity_regularizer"):
        return False
    functions = (value for value in vars(layer).values() if callable(value))
    functions_are_independent = all(
        isinstance(value, Configured) or function_has_trait(value, "rows_independent")
        for value in functions
    )
    return functions_are_independent and all(
        rows_are_independent(inner, training) for inner in layer.inside()
    )
