"""Activations by name: what a layer's argument `activation` accepts."""

from collections.abc import Mapping
from typing import Any

from fjax.activations.along_axis import (
    glu,
    log_softmax,
    softmax,
    sparsemax,
)
from fjax.activations.piecewise import (
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    relu,
    relu6,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    threshold,
)
from fjax.activations.smooth import (
    celu,
    elu,
    exponential,
    gelu,
    log_sigmoid,
    mish,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    squareplus,
    tanh,
    tanh_shrink,
)
from fjax.registry import Registry
from fjax.registry import serialize as serialize
from fjax.typing import ActivationFunction, Identifier

REGISTRY = Registry(
    "activation",
    [
        celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh,
        leaky_relu, linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu,
        soft_shrink, softmax, softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax,
        squareplus, tanh, tanh_shrink, threshold,
    ],
    {"hard_swish": hard_silu, "swish": silu},
)  # fmt: skip


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
    return linear if identifier is None else REGISTRY.get(identifier)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the activation that `serialize` described.

    >>> deserialize(serialize(relu)) == relu
    True
    """
    return REGISTRY.deserialize(config, custom_objects)
