"""Initializers by name: what a layer's argument such as `kernel_initializer` accepts."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from fjax.initializers.constants import Constant, Identity, Ones, Zeros
from fjax.initializers.distributions import RandomNormal, RandomUniform, TruncatedNormal
from fjax.initializers.fans import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from fjax.initializers.fourier import STFT
from fjax.initializers.orthogonality import Orthogonal
from fjax.registry import Registry
from fjax.registry import serialize as serialize
from fjax.typing import Identifier

REGISTRY = Registry(
    "initializer",
    [
        Constant,
        GlorotNormal,
        GlorotUniform,
        HeNormal,
        HeUniform,
        Identity,
        LecunNormal,
        LecunUniform,
        Ones,
        Orthogonal,
        RandomNormal,
        RandomUniform,
        STFT,
        TruncatedNormal,
        VarianceScaling,
        Zeros,
    ],
    {
        "IdentityInitializer": Identity,
        "OrthogonalInitializer": Orthogonal,
        "STFTInitializer": STFT,
        "normal": RandomNormal,
        "one": Ones,
        "uniform": RandomUniform,
        "zero": Zeros,
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

    >>> get("he_normal"), get("HeNormal") == get(HeNormal)
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

    >>> deserialize(serialize(HeNormal(seed=1))) == HeNormal(seed=1)
    True
    """
    return REGISTRY.deserialize(config, custom_objects)
