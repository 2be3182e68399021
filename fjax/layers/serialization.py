"""Layers as plain data, and back."""

from collections.abc import Mapping
from typing import Any

from fjax import layers
from fjax.core.layer import Layer
from fjax.registry import Registry, serializer

serialize = serializer("layer")


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the layer that `serialize` described.

    Args:
        config: A dict with the `class_name` and the `config` of the layer.
        custom_objects: Your own classes and functions by name.

    Raises:
        ValueError: The class is unknown.
        TypeError: `config` is no such dict.

    Source: Keras's page "Serialization utilities".

    >>> from fjax.layers import Dense
    >>> deserialize(serialize(Dense(3, activation="relu")))
    Dense(units=3, activation=relu)
    """
    return _registry().deserialize(config, custom_objects)


def _registry() -> Registry:
    # Derived at the call: the package is not complete when this module is imported.
    members = vars(layers).values()
    classes = [each for each in members if isinstance(each, type) and issubclass(each, Layer)]
    return Registry("layer", classes)
