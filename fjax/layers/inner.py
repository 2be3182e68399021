"""The layers that a layer is given as an argument."""

from collections.abc import Mapping
from typing import Any

import fjax.layers
from fjax.core.adapters import as_layer
from fjax.errors import unknown_name


def inner_layer(owner: str, argument: str, given: Any) -> Any:
    """Return the layer that an argument means: a layer, or the configuration of one of fjax's.

    Raises:
        TypeError: It is none, such as a class that was not called.
        ValueError: The configuration is of an unknown class.

    >>> inner_layer("TimeDistributed", "layer", {"class_name": "Dense", "config": {"units": 2}})
    Dense(units=2)
    """
    if isinstance(given, Mapping) and "class_name" in given:
        kind = getattr(fjax.layers, given["class_name"], None)
        if kind is None:
            known = [name for name in dir(fjax.layers) if name[0].isupper()]
            raise unknown_name("layer", given["class_name"], known)
        return kind.from_config(given["config"])
    try:
        return as_layer(given)
    except TypeError as error:
        error.add_note(f"In `{argument}` of `{owner}`.")
        raise
