"""Layers that are passed to other layers as arguments."""

from collections.abc import Mapping
from typing import Any

import fjax.layers
from fjax.core.adapters import as_layer
from fjax.errors import unknown_name


def inner_layer(owner: str, argument: str, value: Any) -> Any:
    """Return the layer for an argument that is a layer, or the configuration of a layer of fjax.

    Raises:
        TypeError: The argument is neither, such as a class instead of an instance.
        ValueError: The configuration names an unknown class.

    >>> inner_layer("TimeDistributed", "layer", {"class_name": "Dense", "config": {"units": 2}})
    Dense(units=2)
    """
    if isinstance(value, Mapping) and "class_name" in value:
        cls = getattr(fjax.layers, value["class_name"], None)
        if cls is None:
            known = [name for name in dir(fjax.layers) if name[0].isupper()]
            raise unknown_name("layer", value["class_name"], known)
        return cls.from_config(value["config"])
    try:
        return as_layer(value)
    except TypeError as error:
        error.add_note(f"In `{argument}` of `{owner}`.")
        raise
