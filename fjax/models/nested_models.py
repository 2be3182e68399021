"""The models within a model: a network that is a layer is listed as the model that it came from."""

import weakref
from collections.abc import Callable
from typing import Any

from fjax.core import Graph, Layer, Serial
from fjax.core.weight_slot import slot_of
from fjax.models.subclassed import Subclassed

# How to make a model of a network that came from a file or a pure pair: `make(network, seed)`.
_MAKERS: dict[type, Callable[[Any, int], Any]] = {}


def makes_models_of(network_class: type, make: Callable[[Any, int], Any]) -> None:
    """Register how a model is made around a network that is a layer of another one."""
    _MAKERS[network_class] = make


def note_model(network: Any, model: Any) -> None:
    """Note in the slot of a network which model it came from, without keeping that alive."""
    if isinstance(network, Serial | Graph):
        slot_of(network).model = weakref.ref(model)


def as_model(parts: Any, layer: Any) -> Any:
    """Return the model for a layer that is a network, and any other layer itself.

    The model that contains the layer keeps it alive.
    """
    if isinstance(layer, Subclassed):
        return layer.author
    if not isinstance(layer, Serial | Graph):
        return layer
    model = _existing(parts, layer)
    if model is None:
        model = _MAKERS[type(layer)](layer, parts.weights.seed)
        parts.nested.append(model)
    return model


def keep_nested(parts: Any) -> None:
    """Keep the models alive whose networks are layers of a model, and no others."""
    network = parts.architecture.layer_tree
    layers = network.inside() if isinstance(network, Layer) else []
    models = (_existing(parts, layer) for layer in layers if isinstance(layer, Serial | Graph))
    parts.nested[:] = [model for model in models if model is not None]


def _existing(parts: Any, layer: Any) -> Any:
    reference = slot_of(layer).model
    noted = [] if reference is None else [reference()]
    models = [model for model in (*parts.nested, *noted) if model is not None]
    return next((model for model in models if model.layer_tree is layer), None)
