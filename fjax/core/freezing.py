"""Frozen layers: their `trainable` flags, and the params that are trained."""

import copy
from collections.abc import Iterable
from typing import Any

from fjax.core.layer import Layer
from fjax.typing import Params

Path = tuple[str, ...]


def apply_trainable_flags(layer: Any, trainable: bool = True) -> Any:
    """Return a copy of a network in which all sublayers of a frozen layer are frozen too.

    Later changes of `trainable` on the original do not affect the copy. A layer that several layers
    contain has one copy, which is frozen if one of them is.

    >>> from fjax import serial
    >>> from fjax.layers import Dense
    >>> layers = serial(serial(Dense(2), name="base"), Dense(1))
    >>> network = apply_trainable_flags(layers, trainable=False)
    >>> frozen_paths(network), network.layers[0].layers[0].trainable
    ([()], False)
    """
    flags: dict[int, bool] = {}
    _collect_flags(layer, trainable, flags)
    return _copy_with_flags(layer, flags, {})


def _collect_flags(layer: Any, trainable: bool, flags: dict[int, bool]) -> None:
    if isinstance(layer, Layer):
        flags[id(layer)] = flags.get(id(layer), True) and trainable and layer.trainable
        for sublayer in layer.inside():
            _collect_flags(sublayer, flags[id(layer)], flags)


def _copy_with_flags(layer: Any, flags: dict[int, bool], copies: dict[int, Any]) -> Any:
    # A layer with `adapt` is not copied: it may be adapted later, and has no trainable params.
    if not isinstance(layer, Layer) or hasattr(layer, "adapt"):
        return layer
    if id(layer) not in copies:
        sublayers = [_copy_with_flags(sublayer, flags, copies) for sublayer in layer.inside()]
        copied = layer.with_children(sublayers) if sublayers else copy.copy(layer)
        # Of this layer alone: the sublayers have their flags.
        object.__setattr__(copied, "trainable", flags[id(layer)])
        copies[id(layer)] = copied
    return copies[id(layer)]


def trainable_flags(layer: Any) -> tuple[bool, ...]:
    """Return the `trainable` flags of a layer and of all its sublayers, in order."""
    if not isinstance(layer, Layer):
        return ()
    return (
        layer.trainable,
        *(flag for sublayer in layer.inside() for flag in trainable_flags(sublayer)),
    )


def set_trainable(layer: Any, trainable: bool) -> None:
    """Set the `trainable` flag of a layer and of all its sublayers, as Keras does."""
    if isinstance(layer, Layer):
        layer.trainable = trainable
        for sublayer in layer.inside():
            set_trainable(sublayer, trainable)


def frozen_paths(network: Any) -> list[Path]:
    """Return the paths of the frozen subtrees of the params.

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
        # The weights of a repeated block have no key of their own.
        return [path for sublayer in network.inside() for path in frozen_paths(sublayer)]
    return [(name, *path) for name, child in children for path in frozen_paths(child)]


def trainable_part(params: Params, frozen: Iterable[Path]) -> Params:
    """Return the params without the frozen subtrees.

    >>> trainable_part({"a": {"kernel": 1}, "b": {"kernel": 2}}, [("a",)])
    {'b': {'kernel': 2}}
    """
    for path in frozen:
        params = _without(params, path)
    return params


def merge_params(params: Params, part: Params) -> Params:
    """Return the params with the entries of `part` replacing their own.

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
