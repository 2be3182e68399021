"""The layers in the attributes of an author's object, in its lists and dicts."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fjax.core.calling import is_authored


class Bound:
    """Marks a layer that is bound for one pass, which is no layer to be found."""


def as_sublayer(value: Any) -> Any:
    """Return the layer that an attribute's value stands for, or None.

    A model is its network, and a layer of a model that layer.
    """
    if isinstance(value, type | Bound):
        return None
    if hasattr(value, "layer_tree"):
        return value.layer_tree
    pair = (getattr(value, "init", None), getattr(value, "apply", None))
    return value if all(map(callable, pair)) else None


def holds_layers(value: Any) -> bool:
    """Tell whether a value is a layer or holds some in lists, tuples and dicts."""
    return as_sublayer(value) is not None or any(holds_layers(item) for _, item in items_of(value))


def sublayer_name(layer: Any, attribute: str) -> str:
    """Return a sublayer's name: its own, or that of the attribute that holds it."""
    return getattr(layer, "name", None) or attribute


def find_sublayers(owner: Any) -> list[tuple[str, Any]]:
    """Return the layers in an object's attributes, lists and dicts, with their names, each once.

    >>> from fjax.layers import Dense
    >>> class Author:
    ...     def __init__(self):
    ...         self.hidden = [Dense(3), Dense(2)]
    ...         self.last = Dense(1)
    >>> [name for name, _ in find_sublayers(Author())]
    ['hidden_0', 'hidden_1', 'last']
    """
    own = vars(owner).get("_internal", ())
    found: dict[int, tuple[str, Any]] = {}
    for attribute, value in vars(owner).items():
        if attribute not in own and attribute != "_made":
            _find(attribute, value, found)
    for name, layer in vars(owner).get("_made", {}).items():
        found.setdefault(id(layer), (name, layer))
    _refuse_cycle([layer for _, layer in found.values()], [owner])
    return list(found.values())


def replace_sublayers(owner: Any, layers: Sequence[Any]) -> Any:
    """Return a copy of an object with other layers in the places of those that it holds."""
    known = find_sublayers(owner)
    new = {id(old): layer for (_, old), layer in zip(known, layers, strict=True)}

    def replaced(value: Any) -> Any:
        layer = as_sublayer(value)
        if layer is not None:
            return new[id(layer)]
        return map_items(lambda _, item: replaced(item), value)

    own = vars(owner).get("_internal", ())
    twin = object.__new__(type(owner))
    for name, value in vars(owner).items():
        if name != "_home":
            twin.__dict__[name] = value if name in own else replaced(value)
    return twin


def _refuse_cycle(layers: Iterable[Any], holders: list[Any]) -> None:
    """Raise ValueError if one of the holders of these layers is among them, however deep."""
    for layer in layers:
        holder = getattr(layer, "author", layer)
        if any(holder is other for other in holders):
            chain = " > ".join(type(item).__name__ for item in (*holders, holder))
            raise ValueError(
                f"`{type(holders[0]).__name__}`: a layer cannot contain itself: {chain}."
            )
        if is_authored(layer):
            found: dict[int, tuple[str, Any]] = {}
            own = vars(holder).get("_internal", ())
            for attribute, value in vars(holder).items():
                if attribute not in own and attribute != "_made":
                    _find(attribute, value, found)
            _refuse_cycle([inner for _, inner in found.values()], [*holders, holder])
        elif hasattr(layer, "inside"):
            _refuse_cycle(layer.inside(), holders)


def _find(name: str, value: Any, found: dict[int, tuple[str, Any]]) -> None:
    layer = as_sublayer(value)
    if layer is not None:
        found.setdefault(id(layer), (sublayer_name(layer, name), layer))
    else:
        for key, item in items_of(value):
            _find(f"{name}_{key}", item, found)


def items_of(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return what a list, tuple or dict holds, with its places; of any other value nothing."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()


def map_items(function: Callable[[Any, Any], Any], value: Any) -> Any:
    """Return a copy of a list, tuple or dict with a function's values; any other value itself."""
    if isinstance(value, dict):
        return {key: function(key, item) for key, item in value.items()}
    if not isinstance(value, list | tuple):
        return value
    items = [function(place, item) for place, item in enumerate(value)]
    if isinstance(value, list):
        return items
    return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
