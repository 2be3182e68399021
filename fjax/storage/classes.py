"""The fjax classes that a model file may name. A file cannot create any other."""

from collections.abc import Iterator, Mapping
from types import ModuleType

from fjax import constraints, core, initializers, layers, losses, metrics, optimizers, regularizers
from fjax.configuration import Configured
from fjax.optimizers import schedules

# A class that is public in two packages is named after the first of them.
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


def _public_classes(package: ModuleType) -> Iterator[type[Configured]]:
    """Yield the public classes of a package, without aliases and without abstract bases."""
    for name, member in vars(package).items():
        if isinstance(member, type) and issubclass(member, Configured):
            is_base = Configured in member.__bases__ and member.__subclasses__()
            if name == member.__name__ and member is not Configured and not is_base:
                yield member


def _classes_by_name() -> dict[str, type[Configured]]:
    names: dict[type[Configured], str] = {}
    for family, package in _PACKAGES.items():
        for member in _public_classes(package):
            names.setdefault(member, f"{family}.{member.__name__}")
    return {name: member for member, name in names.items()}


CLASSES: Mapping[str, type[Configured]] = _classes_by_name()
