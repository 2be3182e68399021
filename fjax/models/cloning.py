"""Models of the same layers, with weights of their own."""

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
    """Return a model of copies of a model's layers, with weights of its own; it is not compiled.

    Args:
        model: The model. One that an author wrote is made anew from its `get_config`.
        clone_function: Returns for each layer without layers inside what shall stand in its place;
            by default a copy.

    Raises:
        TypeError: It is no model; or `clone_function` returned no layer, or was given for a model
            that an author wrote, whose layers are made by its `__init__`.

    Source: Keras's page "clone_model function".

    >>> from fjax.layers import Dense, Input
    >>> model = Sequential([Input((3,)), Dense(2)])
    >>> twin = clone_model(model)
    >>> twin.output_shape, bool((twin.get_weights()[0] == model.get_weights()[0]).any())
    ((None, 2), False)
    """
    if not isinstance(model, Model):
        raise TypeError(f"`clone_model` takes a model, received {model!r}.")
    if is_authored_model(model):
        if clone_function is not None:
            raise TypeError(
                f"`clone_model`: the layers of `{type(model).__name__}` are made by its "
                "`__init__`, so that `clone_function` cannot take their place."
            )
        twin = type(model).from_config(model.get_config())
    elif isinstance(model, Sequential):
        twin = model.copy_with(lambda layers: [_copied(layer, clone_function) for layer in layers])
    else:
        twin = type(model)(_copied(model.layer_tree, clone_function), name=model.name)
    if model.built and not twin.built:
        specs, shapes, _ = model.model_parts.architecture.built
        twin.model_parts.architecture.build(specs, shapes)
    return twin


def _copied(layer: Any, clone_function: Callable[[Any], Any] | None) -> Any:
    if not isinstance(layer, Layer) or isinstance(layer, InputLayer):
        return layer
    inside = layer.inside()
    if inside:
        return layer.with_children([_copied(part, clone_function) for part in inside])
    return copy.copy(layer) if clone_function is None else as_layer(clone_function(layer))
