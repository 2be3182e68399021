"""Names that need scikit-learn, which is imported when one of them is first used."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from fjax.errors import import_extra


def import_name(package: str, name: str, modules: Mapping[str, Sequence[str]]) -> Any:
    """Return the object that a package has under this name.

    Args:
        package: The package.
        name: The name.
        modules: For each module of the package the names that it defines.

    Raises:
        AttributeError: The package has no such name.
        ImportError: scikit-learn is not installed.
    """
    places = {each: module for module, names in modules.items() for each in names}
    if name not in places:
        raise AttributeError(f"`{package}` has no `{name}`. It has: {', '.join(sorted(places))}.")
    import_extra(f"{package}.{name}", "sklearn", "scikit-learn", "sklearn")
    return getattr(importlib.import_module(f"{package}.{places[name]}"), name)
