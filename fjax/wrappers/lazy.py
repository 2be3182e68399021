"""Names that need scikit-learn, which is imported when one of them is first used."""

import importlib
from collections.abc import Mapping
from typing import Any

from fjax.errors import import_extra


def import_name(package: str, name: str, places: Mapping[str, tuple[str, str]]) -> Any:
    """Return the object that a package has under this name.

    Args:
        package: The package.
        name: The name.
        places: For each name of the package the module, and the name of the object there.

    Raises:
        AttributeError: The package has no such name.
        ImportError: scikit-learn is not installed.
    """
    if name not in places:
        raise AttributeError(f"`{package}` has no `{name}`. It has: {', '.join(places)}.")
    import_extra(f"{package}.{name}", "sklearn", "scikit-learn", "sklearn")
    module, attribute = places[name]
    return getattr(importlib.import_module(f"{package}.{module}"), attribute)
