"""The layers in the attributes of an author's object, in its lists, tuples and dicts."""

from collections.abc import Iterable, Sequence
from typing import Any

from fjax.authoring.attributes import BUILT_LAYERS, author_attributes, items_of, map_items
from fjax.authoring.bound_layer import BoundLayer
from fjax.core.author import UNCOPIED, facade_attributes
from fjax.core.calling import is_authored
from fjax.core.naming import given_name


def as_sublayer(value: Any) -> Any:
    """Return the layer that an attribute's value is, or None.

    For a model it is the model's network, for a layer of a model that layer.
    """
    if isinstance(value, type | BoundLayer):
        return None
    if hasattr(value, "layer_tree"):
        return value.layer_tree
    pair = (getattr(value, "init", None), getattr(value, "apply", None))
    return value if all(map(callable, pair)) else None


def holds_layers(value: Any) -> bool:
    """Tell whether a value is a layer, or has layers in its lists, tuples and dicts."""
    return as_sublayer(value) is not None or any(holds_layers(item) for _, item in items_of(value))


def sublayer_name(layer: Any, attribute: str) -> str:
    """Return a sublayer's name: its own, or that of the attribute that holds it."""
    return given_name(layer) or attribute


def find_sublayers(author: Any) -> list[tuple[str, Any]]:
    """Return the layers in an object's attributes, with their names, each once.

    Raises:
        ValueError: One of them contains the object.

    >>> from fjax import Layer
    >>> from fjax.layers import Dense
    >>> class Block(Layer):
    ...     def __init__(self):
    ...         self.hidden = [Dense(3), Dense(2)]
    ...         self.last = Dense(1)
    >>> [name for name, _ in find_sublayers(Block())]
    ['hidden_0', 'hidden_1', 'last']
    """
    layers = _layers_in_attributes(author)
    for name, layer in vars(author).get(BUILT_LAYERS, {}).items():
        layers.setdefault(id(layer), (name, layer))
    _check_no_cycle([layer for _, layer in layers.values()], [author])
    return list(layers.values())


def replace_sublayers(author: Any, layers: Sequence[Any]) -> Any:
    """Return a copy of an object with other layers, in the order of `find_sublayers`."""
    before = find_sublayers(author)
    new = {id(old): layer for (_, old), layer in zip(before, layers, strict=True)}

    def replaced(value: Any) -> Any:
        layer = as_sublayer(value)
        if layer is not None:
            return new[id(layer)]
        return map_items(lambda _, item: replaced(item), value)

    twin = object.__new__(type(author))
    of_facade = facade_attributes(author)
    for name, value in vars(author).items():
        if name not in UNCOPIED:
            twin.__dict__[name] = value if name in of_facade else replaced(value)
    return twin


def _layers_in_attributes(author: Any) -> dict[int, tuple[str, Any]]:
    """Return the name and the layer of each sublayer, by the layer's identity."""
    layers: dict[int, tuple[str, Any]] = {}

    def search(name: str, value: Any) -> None:
        layer = as_sublayer(value)
        if layer is not None:
            layers.setdefault(id(layer), (sublayer_name(layer, name), layer))
            return
        for key, item in items_of(value):
            search(f"{name}_{key}", item)

    for attribute, value in author_attributes(author).items():
        search(attribute, value)
    return layers


def _check_no_cycle(layers: Iterable[Any], containers: list[Any]) -> None:
    """Raise ValueError if one of the containers of these layers is among them, however deep."""
    for layer in layers:
        container = getattr(layer, "author", layer)
        if any(container is other for other in containers):
            chain = " > ".join(type(item).__name__ for item in (*containers, container))
            raise ValueError(
                f"`{type(containers[0]).__name__}`: a layer cannot contain itself: {chain}."
            )
        if is_authored(layer):
            inner = [each for _, each in _layers_in_attributes(container).values()]
            _check_no_cycle(inner, [*containers, container])
        elif hasattr(layer, "inside"):
            _check_no_cycle(layer.inside(), containers)
