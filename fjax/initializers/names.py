"""Initializers by name: what a layer's argument such as `kernel_initializer` accepts."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from fjax.initializers import constants, distributions, fans, fourier, orthogonality
from fjax.initializers.initializer import Initializer
from fjax.registry import Registry, defined_in, serializer
from fjax.typing import Identifier

serialize = serializer("initializer")

REGISTRY = Registry(
    "initializer",
    [
        member
        for member in defined_in(constants, distributions, fans, fourier, orthogonality)
        if isinstance(member, type) and issubclass(member, Initializer)
    ],
    {
        "IdentityInitializer": constants.Identity,
        "OrthogonalInitializer": orthogonality.Orthogonal,
        "STFTInitializer": fourier.STFT,
        "normal": distributions.RandomNormal,
        "one": constants.Ones,
        "uniform": distributions.RandomUniform,
        "zero": constants.Zeros,
    },
)


def get(identifier: Identifier) -> Callable[..., Any]:
    """Return the initializer for an identifier.

    Args:
        identifier: A name, a class, `{"class_name": …, "config": …}`, an initializer, or a function
            that `draw` can call.

    Raises:
        ValueError: The name is unknown; the message suggests the most similar one.
        TypeError: The identifier is none of these.

    >>> get("he_normal"), get("HeNormal") == get(fans.HeNormal)
    (HeNormal(), True)
    """
    if isinstance(identifier, jax.Array | np.ndarray):
        raise TypeError(
            f"An array of shape {identifier.shape} is not an initializer: write `Constant(array)`, "
            "or give a function `f(shape, dtype)` that returns it."
        )
    return REGISTRY.get(identifier)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the initializer that `serialize` described.

    >>> deserialize(serialize(fans.HeNormal(seed=1))) == fans.HeNormal(seed=1)
    True
    """
    return REGISTRY.deserialize(config, custom_objects)
