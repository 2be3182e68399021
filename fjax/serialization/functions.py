"""Every function of fjax and JAX that a model file may name."""

from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType
from typing import Any

import jax
import jax.numpy as jnp

from fjax import activations, losses, metrics

# Functions of JAX that a network may be made of, as far as the installed version has them: a closed
# list, since the modules hold many more.
_OF_JAX: Mapping[str, tuple[ModuleType, tuple[str, ...]]] = {
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


def _named() -> dict[str, Callable[..., Any]]:
    """Return the functions by name; one that stands in two places has the first name."""
    found: dict[int, tuple[str, Callable[..., Any]]] = {}
    for package in (activations, losses, metrics):
        family = package.__name__.rpartition(".")[2]
        rooms = [package, *(own for own in vars(package).values() if isinstance(own, ModuleType))]
        for function in (own for room in rooms for own in vars(room).values()):
            if isinstance(function, FunctionType) and _is_known(package, function):
                found.setdefault(id(function), (f"{family}.{function.__name__}", function))
    for family, (module, names) in _OF_JAX.items():
        for name in names:
            if hasattr(module, name):
                function = getattr(module, name)
                found.setdefault(id(function), (f"{family}.{name}", function))
    return dict(found.values())


def _is_known(package: Any, function: FunctionType) -> bool:
    """Tell whether a function is a package's own, and its `get` finds it by its name."""
    if not function.__module__.startswith(package.__name__):
        return False
    try:
        return package.get(function.__name__) is function
    except ValueError:
        return False


FUNCTIONS: Mapping[str, Callable[..., Any]] = _named()
