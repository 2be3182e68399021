"""Names that need scikit-learn, which is imported when one of them is first used."""

import importlib
from collections.abc import Mapping
from typing import Any


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
    try:
        importlib.import_module("sklearn")
    except ImportError as error:
        raise ImportError(
            f"`{package}.{name}` needs scikit-learn: `pip install fjax[sklearn]`, or "
            "`pip install scikit-learn`."
        ) from error
    module, attribute = places[name]
    return getattr(importlib.import_module(f"{package}.{module}"), attribute)
