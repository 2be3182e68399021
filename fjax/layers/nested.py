"""Layers within layers, as a configuration holds them."""

from collections.abc import Mapping
from typing import Any

from fjax.core.layer import as_layer
from fjax.errors import unknown_name


def layer_within(candidate: Any) -> Any:
    """Return a layer for whatever `as_layer` takes, or for what a configuration holds of it.

    Raises:
        ValueError: `fjax.layers` has no layer of the class's name.
        TypeError: The candidate is none of these.

    >>> layer_within({"class_name": "Dense", "config": {"units": 3}})
    Dense(units=3)
    """
    if not (isinstance(candidate, Mapping) and set(candidate) == {"class_name", "config"}):
        return as_layer(candidate)
    # The package imports this module.
    from fjax import layers

    known = {name: value for name, value in vars(layers).items() if isinstance(value, type)}
    name = candidate["class_name"]
    if name not in known:
        raise unknown_name("layer", str(name), known)
    kind: Any = known[name]
    return kind.from_config(candidate["config"])
