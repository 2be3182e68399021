"""The functions of fjax and JAX that a model file may name.

Those of `fjax.ops` are its public functions, except those of functions, such as loops, with which a
file would be a program. The package is imported when a file names one.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp

from fjax import activations
from fjax.errors import suggestion
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
_NAMES = {id(member): name for name, member in FUNCTIONS.items()}

# The modules of `fjax.ops` whose functions a file may name.
_OPERATIONS = ("ops", "ops.image")


def function_named(name: str) -> Callable[..., Any]:
    """Return the function that a file names.

    Raises:
        ValueError: There is none; the nearest name is suggested.

    >>> function_named("ops.image.resize").__name__
    'resize'
    """
    module, _, member = name.rpartition(".")
    if module in _OPERATIONS and member in (names := _operations(module)):
        return names[member]
    if name not in FUNCTIONS:
        known = _operations(module) if module in _OPERATIONS else {}
        names_of_all = [*FUNCTIONS, *(f"{module}.{operation}" for operation in known)]
        raise ValueError(f"fjax has no function {name!r}{suggestion(name, names_of_all)}")
    return FUNCTIONS[name]


def name_of_function(function: Callable[..., Any]) -> str | None:
    """Return the name of a function in files, or None.

    >>> from fjax import ops
    >>> name_of_function(ops.relu), name_of_function(activations.relu)
    ('ops.relu', 'activations.relu')
    """
    if getattr(function, "__module__", "").startswith("fjax.ops."):
        for module in _OPERATIONS:
            member = function.__name__
            if _operations(module).get(member) is function:
                return f"{module}.{member}"
    return _NAMES.get(id(function))


def _operations(module: str) -> Mapping[str, Callable[..., Any]]:
    """Return the public functions of `fjax.ops` or `fjax.ops.image`, by name."""
    package = importlib.import_module(f"fjax.{module}")
    members = ((name, getattr(package, name)) for name in package.__all__)
    return {
        name: member
        for name, member in members
        if not isinstance(member, ModuleType) and not _takes_functions(member)
    }


def _takes_functions(function: Callable[..., Any]) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any("Callable" in str(parameter.annotation) for parameter in parameters)
