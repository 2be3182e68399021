"""The places of layers in models: what the weight slot of a layer knows of its model."""

import weakref
from collections.abc import Iterator
from typing import Any

from fjax.core import Graph, Layer
from fjax.core.graph_builder import Symbols
from fjax.core.layer_walk import list_layers
from fjax.core.weight_slot import find_slot, slot_of
from fjax.models.symbolic import layer_tensors
from fjax.typing import Spec

Path = tuple[str, ...]


class ModelLink:
    """The place of a layer in a model; a `LayerLink`. It does not keep the model alive.

    Args:
        parts: The parts of the model.
        name: The layer's name in the model, or in the layer that contains it.
        path: The names of the model and of the layers that contain the layer, and its own.
    """

    def __init__(self, parts: Any, name: str, path: Path) -> None:
        self._parts = weakref.ref(parts)
        self.name = name
        self.path = path

    @property
    def is_alive(self) -> bool:
        """Whether the model exists."""
        return self._parts() is not None

    def make_weights(self) -> None:
        """Draw the weights of the model, if it is built."""
        parts = self._parts()
        if parts is not None and parts.architecture.is_built:
            parts.weights.make()

    def input_specs(self, layer: Any) -> tuple[Spec, ...] | None:
        """Return the inputs that the model is built for, if the layer is its whole network."""
        parts = self._parts()
        if parts is None or parts.architecture.layer_tree is not layer:
            return None
        return parts.architecture.built.specs if parts.architecture.is_built else None

    def tensors(self, layer: Any) -> Symbols | None:
        """Return the layer's symbolic inputs and outputs; None if the model has no symbols.

        Raises:
            ValueError: The model calls the layer several times.
        """
        parts = self._parts()
        if parts is None:
            return None
        try:
            symbols = parts.architecture.symbols
        except AttributeError:
            return None
        return layer_tensors(symbols, self.name, layer)


def link_layers(parts: Any, is_listed: bool = False) -> None:
    """Tell the layers of a model where they are in it.

    A layer of several models is linked to the first one that exists, until it is listed by another.

    Args:
        parts: The parts of the model.
        is_listed: Whether a user asked the model for its layers, so that they are linked to it.
    """
    architecture = parts.architecture
    # Paths begin with the name of the model, except for a graph, as in Keras.
    prefix = () if isinstance(architecture.layer_tree, Graph) else (architecture.name,)
    # An author's model may have weights of its own.
    _link(parts, architecture.layer_tree, architecture.name, (architecture.name,), is_listed=False)
    for record in list_layers(architecture.layer_tree):
        _link(parts, record.layer, record.name, (*prefix, record.name), is_listed)
        for name, layer, path in _below(record.layer, (*prefix, record.name)):
            _link(parts, layer, name, path, is_listed=False)


def _below(layer: Any, path: Path) -> Iterator[tuple[str, Any, Path]]:
    for name, child in layer.children() if isinstance(layer, Layer) else []:
        yield name, child, (*path, name)
        yield from _below(child, (*path, name))


def _link(parts: Any, layer: Any, name: str, path: Path, is_listed: bool) -> None:
    if not isinstance(layer, Layer):
        return
    slot = slot_of(layer)
    if is_listed or slot.link is None or not slot.link.is_alive:
        slot.link = ModelLink(parts, name, path)


def linked_name(layer: Any) -> str | None:
    """Return the name of a network within the model that contains it, if there is one."""
    slot = find_slot(layer) if isinstance(layer, Layer) else None
    return None if slot is None or slot.link is None else slot.link.name


def is_linked(network: Any) -> bool:
    """Tell whether a network knows a model that it is in."""
    slot = find_slot(network) if isinstance(network, Layer) else None
    return slot is not None and slot.link is not None and slot.link.is_alive
