"""Names of layers: the keys of their weights in a container's `params` and `state`."""

from typing import Any

from fjax.configuration import snake_case
from fjax.core.reserved import RESERVED


def given_name(layer: Any) -> str | None:
    """Return the name that a layer was created with, or None; see `LayerFacade.given_name`."""
    return layer.given_name if hasattr(layer, "given_name") else getattr(layer, "name", None)


def default_name(layer: Any) -> str:
    """Return the default name of a layer, before its container numbers it.

    >>> from fjax.core.adapters import as_layer
    >>> default_name(as_layer(abs))
    'abs'
    """
    return snake_case(kind(layer)).strip("<>")


def kind(layer: Any) -> str:
    """Return the class name that a summary shows for a layer, or for any object with `apply`."""
    name = getattr(layer, "kind", None)
    return name if isinstance(name, str) else type(layer).__name__


def unique_names(layers: list[Any]) -> list[str]:
    """Return one name per layer: its `name`, or its default name, numbered if that is taken.

    Raises:
        ValueError: Two layers have the same explicit name.
    """
    explicit = [given_name(layer) for layer in layers]
    taken: set[str] = set()
    for position, name in enumerate(explicit):
        if name in taken:
            raise ValueError(
                f"Two layers are named {name!r}: {layers[explicit.index(name)]!r} and "
                f"{layers[position]!r}. Give each layer of a model its own name."
            )
        if name is not None:
            taken.add(name)
    # A function may be called `penalty`, but this key of the state is reserved.
    taken.update(RESERVED)
    names = []
    counts: dict[str, int] = {}
    for layer, name in zip(layers, explicit, strict=True):
        if name is None:
            base = default_name(layer)
            name = base
            while name in taken:
                counts[base] = counts.get(base, 0) + 1
                name = f"{base}_{counts[base]}"
            taken.add(name)
        names.append(name)
    return names
