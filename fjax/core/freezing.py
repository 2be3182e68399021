"""Which params are trained: a layer's `trainable`, and what follows from it for the params."""

import copy
from collections.abc import Iterable
from typing import Any

from fjax.core.layer import Layer
from fjax.typing import Params

Path = tuple[str, ...]


def apply_trainable_flags(layer: Any, trainable: bool = True) -> Any:
    """Return a copy of a network whose flags are fixed: of a frozen whole every part is frozen.

    A later change of a layer's `trainable` does not reach the copy.

    >>> from fjax import serial
    >>> from fjax.layers import Dense
    >>> layers = serial(serial(Dense(2), name="base"), Dense(1))
    >>> network = apply_trainable_flags(layers, trainable=False)
    >>> frozen_paths(network), network.layers[0].layers[0].trainable
    ([()], False)
    """
    # What a layer learns by `adapt` may still come, and is no matter of training.
    if not isinstance(layer, Layer) or hasattr(layer, "adapt"):
        return layer
    own = trainable and layer.trainable
    inside = layer.inside()
    parts = [apply_trainable_flags(part, own) for part in inside]
    twin = layer.with_children(parts) if inside else copy.copy(layer)
    twin.trainable = own
    return twin


def flags(layer: Any) -> tuple[bool, ...]:
    """Return the `trainable` of a layer and of all within it, in order."""
    if not isinstance(layer, Layer):
        return ()
    return (layer.trainable, *(flag for part in layer.inside() for flag in flags(part)))


def set_trainable(layer: Any, trainable: bool) -> None:
    """Set the `trainable` of a layer and of all within it, as Keras does."""
    if isinstance(layer, Layer):
        layer.trainable = trainable
        for part in layer.inside():
            set_trainable(part, trainable)


def frozen_paths(network: Any) -> list[Path]:
    """Return the paths in the params below which nothing is trained.

    >>> from fjax import serial
    >>> from fjax.layers import Dense
    >>> frozen_paths(serial(Dense(2, trainable=False), Dense(1)))
    [('dense',)]
    """
    if not isinstance(network, Layer):
        return []
    if not network.trainable:
        return [()]
    children = network.children()
    if not children:
        # A repeated block's weights lie where the whole has them.
        return [path for part in network.inside() for path in frozen_paths(part)]
    return [(name, *path) for name, child in children for path in frozen_paths(child)]


def trainable_part(params: Params, frozen: Iterable[Path]) -> Params:
    """Return the params without those below these paths.

    >>> trainable_part({"a": {"kernel": 1}, "b": {"kernel": 2}}, [("a",)])
    {'b': {'kernel': 2}}
    """
    for path in frozen:
        params = _without(params, path)
    return params


def merge_params(params: Params, part: Params) -> Params:
    """Return the params with what is in the part in its place.

    >>> merge_params({"a": {"kernel": 1}, "b": {"kernel": 2}}, {"b": {"kernel": 3}})
    {'a': {'kernel': 1}, 'b': {'kernel': 3}}
    """
    if not isinstance(part, dict) or not isinstance(params, dict):
        return part
    return {
        name: merge_params(value, part[name]) if name in part else value
        for name, value in params.items()
    }


def _without(params: Params, path: Path) -> Params:
    if not path:
        return {}
    name, *rest = path
    if name not in params:
        return params
    if not rest:
        return {key: value for key, value in params.items() if key != name}
    return {**params, name: _without(params[name], tuple(rest))}
