"""Every class of fjax that a model file may name. A file can make nothing else of fjax's."""

from collections.abc import Iterator, Mapping
from types import ModuleType

from fjax import constraints, core, initializers, layers, losses, metrics, optimizers, regularizers
from fjax.configuration import Configured
from fjax.optimizers import schedules

# In this order a class that is public in two packages gets its name.
_PACKAGES: Mapping[str, ModuleType] = {
    "layers": layers,
    "core": core,
    "initializers": initializers,
    "regularizers": regularizers,
    "constraints": constraints,
    "losses": losses,
    "metrics": metrics,
    "optimizers": optimizers,
    "schedules": schedules,
}


def _public(package: ModuleType) -> Iterator[type[Configured]]:
    """Return the classes of a package by their own names, without the bases that users extend."""
    for name, member in vars(package).items():
        if isinstance(member, type) and issubclass(member, Configured):
            is_base = Configured in member.__bases__ and member.__subclasses__()
            if name == member.__name__ and member is not Configured and not is_base:
                yield member


def _named() -> dict[str, type[Configured]]:
    found: dict[type[Configured], str] = {}
    for family, package in _PACKAGES.items():
        for member in _public(package):
            found.setdefault(member, f"{family}.{member.__name__}")
    return {name: member for member, name in found.items()}


CLASSES: Mapping[str, type[Configured]] = _named()
