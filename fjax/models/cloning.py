"""Copies of models, with newly drawn weights."""

import copy
from collections.abc import Callable
from typing import Any

from fjax.core import InputLayer, Layer, as_layer
from fjax.errors import explain_keywords
from fjax.models.model import Model
from fjax.models.sequential import Sequential
from fjax.models.subclassed import is_authored_model


@explain_keywords
def clone_model(model: Any, clone_function: Callable[[Any], Any] | None = None) -> Any:
    """Return an uncompiled model of copies of a model's layers, with newly drawn weights.

    Args:
        model: The model. An authored model (one with its own `call`) is created again from its
            `get_config`.
        clone_function: Takes each layer that contains no other layers, and returns the layer to
            use in its place; by default a copy.

    Raises:
        TypeError: `model` is not a model; or `clone_function` does not return a layer, or is passed
            for an authored model, whose layers are created by its `__init__`.

    Source: Keras's page "clone_model function".

    >>> from fjax.layers import Dense, Input
    >>> model = Sequential([Input((3,)), Dense(2)])
    >>> clone = clone_model(model)
    >>> clone.output_shape, bool((clone.get_weights()[0] == model.get_weights()[0]).any())
    ((None, 2), False)
    """
    if not isinstance(model, Model):
        raise TypeError(f"`clone_model` takes a model, received {model!r}.")
    if is_authored_model(model):
        if clone_function is not None:
            raise TypeError(
                f"`clone_model`: `clone_function` cannot replace the layers of "
                f"`{type(model).__name__}`, because its `__init__` creates them."
            )
        clone = type(model).from_config(model.get_config())
    elif isinstance(model, Sequential):
        clone = model.copy_with(
            lambda layers: [_clone_layer(layer, clone_function) for layer in layers]
        )
    else:
        clone = type(model)(
            _clone_layer(model.layer_tree, clone_function), name=model.model_parts.architecture.name
        )
    if model.built and not clone.built:
        specs, sample_shapes, _ = model.model_parts.architecture.built
        clone.model_parts.build(specs, sample_shapes)
    return clone


def _clone_layer(layer: Any, clone_function: Callable[[Any], Any] | None) -> Any:
    if not isinstance(layer, Layer) or isinstance(layer, InputLayer):
        return layer
    sublayers = layer.inside()
    if sublayers:
        return layer.with_children([_clone_layer(each, clone_function) for each in sublayers])
    return copy.copy(layer) if clone_function is None else as_layer(clone_function(layer))
