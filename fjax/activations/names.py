"""Activations by name: what a layer's argument `activation` accepts."""

from collections.abc import Mapping
from typing import Any

from fjax.activations import along_axis, piecewise, smooth
from fjax.registry import Registry, defined_in, serializer
from fjax.typing import ActivationFunction, Identifier

serialize = serializer("activation")

REGISTRY = Registry(
    "activation",
    defined_in(along_axis, piecewise, smooth),
    {"hard_swish": piecewise.hard_silu, "swish": smooth.silu},
)


def get(identifier: Identifier) -> ActivationFunction:
    """Return the activation for an identifier.

    Args:
        identifier: A name, a function of one array, or None, which means `linear`.

    Raises:
        ValueError: The name is unknown; the message suggests the most similar one.
        TypeError: The identifier is neither a name nor callable.

    >>> import jax.numpy as jnp
    >>> get("relu").__name__, get(None).__name__, get(jnp.sin) is jnp.sin
    ('relu', 'linear', True)
    """
    return piecewise.linear if identifier is None else REGISTRY.get(identifier)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the activation that `serialize` described.

    >>> deserialize(serialize(piecewise.relu)) is piecewise.relu
    True
    """
    return REGISTRY.deserialize(config, custom_objects)
