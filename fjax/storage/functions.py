"""The functions of fjax and JAX that a model file may name."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp

from fjax import activations
from fjax.losses import names as losses
from fjax.metrics import names as metrics

# The functions of JAX that a network may use, as far as the installed version has them. The list is
# closed: the modules contain many more.
_JAX_FUNCTIONS: Mapping[str, tuple[ModuleType, tuple[str, ...]]] = {
    "jax.nn": (jax.nn, (
        "celu", "elu", "gelu", "glu", "hard_sigmoid", "hard_silu", "hard_tanh", "identity",
        "leaky_relu", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid",
        "silu", "softmax", "soft_sign", "softplus", "sparse_plus", "squareplus", "standardize",
        "tanh",
    )),
    "jax.numpy": (jnp, (
        "abs", "cos", "exp", "log", "log1p", "maximum", "minimum", "negative", "ravel", "sign",
        "sin", "sqrt", "square",
    )),
}  # fmt: skip


def _functions_by_name() -> dict[str, Callable[..., Any]]:
    """Return the functions by name; a function that is listed twice keeps its first name."""
    entries: dict[int, tuple[str, Callable[..., Any]]] = {}
    for registry in (activations.REGISTRY, losses.REGISTRY, metrics.REGISTRY):
        for function in registry.functions:
            family = function.__module__.split(".")[1]
            entries.setdefault(id(function), (f"{family}.{function.__name__}", function))
    for family, (module, names) in _JAX_FUNCTIONS.items():
        for name in names:
            if hasattr(module, name):
                function = getattr(module, name)
                entries.setdefault(id(function), (f"{family}.{name}", function))
    return dict(entries.values())


FUNCTIONS: Mapping[str, Callable[..., Any]] = _functions_by_name()
