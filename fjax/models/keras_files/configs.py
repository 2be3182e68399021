"""Models from the configurations of Keras."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax

from fjax.core import InputLayer, SymbolicTensor
from fjax.core.symbolic import input_tensor
from fjax.models.model import Model
from fjax.models.sequential import Sequential
from fjax.storage.keras_files.decoding import KerasDecoder
from fjax.storage.keras_files.layout import described_groups

_REFERENCE = "__keras_tensor__"
# In `fit`, `evaluate` and `predict` Keras replaces the mode that a call of a graph has in a file by
# the mode of the model.
_DROPPED = ("training",)
_SEQUENTIAL = frozenset({"name", "trainable", "dtype", "layers", "build_input_shape"})
_FUNCTIONAL = frozenset({"name", "trainable", "dtype", "layers", "input_layers", "output_layers"})

Reference = tuple[str, int, int]


def make_model(decoder: KerasDecoder, kind: str, config: Mapping[str, Any], group: str) -> Any:
    """Return the model that a configuration of Keras describes, with newly drawn weights.

    Args:
        decoder: Makes the layers.
        kind: "Sequential", "Functional" or "Model".
        config: The configuration.
        group: The group of its weights.

    Raises:
        ValueError: It is invalid, or contains something unknown.
    """
    known = _SEQUENTIAL if kind == "Sequential" else _FUNCTIONAL
    unknown = [key for key in config if key not in known]
    if "layers" not in config or not isinstance(config["layers"], list):
        raise ValueError(
            f"the configuration of the `{kind}` {str(config.get('name'))[:80]!r} has no layers: "
            "pass its class in `custom_objects`"
        )
    if unknown:
        raise ValueError(f"the configuration of a `{kind}` has the unknown key {unknown[0][:80]!r}")
    decoder.decode(config.get("dtype"))
    name = config.get("name")
    if kind == "Sequential":
        model: Model = _sequential(decoder, config, group)
    else:
        inputs, outputs = _Graph(decoder, config, group).tensors()
        model = Model(inputs=inputs, outputs=outputs, name=name)
    if config.get("trainable") is False:
        model.trainable = False
    return model


def _sequential(decoder: KerasDecoder, config: Mapping[str, Any], group: str) -> Sequential:
    layers = config["layers"]
    groups = described_groups(group, layers)
    model = Sequential(
        [decoder.decode_layer(each, at) for each, at in zip(layers, groups, strict=True)],
        config.get("name"),
    )
    shape = config.get("build_input_shape")
    if shape is not None and not model.built:
        model.build(shape)
    return model


class _Graph:
    """The calls of the layers of a functional model, in which tensors are named by their calls."""

    def __init__(self, decoder: KerasDecoder, config: Mapping[str, Any], group: str) -> None:
        self._decoder, self._config = decoder, config
        self._layers: dict[str, Any] = {}
        # The flat outputs of each call of each layer.
        self._outputs: dict[str, list[list[SymbolicTensor]]] = {}
        self._waiting: dict[str, list[Any]] = {}
        layers = config["layers"]
        for description, at in zip(layers, described_groups(group, layers), strict=True):
            self._add(description, at)

    def tensors(self) -> tuple[Any, Any]:
        """Call all layers, and return the inputs and outputs of the model.

        Raises:
            ValueError: A call refers to a tensor that does not exist, or to itself.
        """
        while any(self._waiting.values()):
            if not [name for name in self._layers if self._call_ready(name)]:
                waiting = ", ".join(repr(name) for name, calls in self._waiting.items() if calls)
                raise ValueError(f"the calls of {waiting[:200]} depend on each other, or on none")
        ends = (self._config.get(each) for each in ("input_layers", "output_layers"))
        inputs, outputs = (self._replace(self._counted(each)) for each in ends)
        return inputs, outputs

    def _counted(self, end: Any) -> Any:
        """Return an end of the model with the numbers of calls as in the arguments of calls.

        In the ends Keras counts for a functional model also its first call, when it was made.
        """
        if _is_reference(end):
            name, call, output = end
            layer = self._layers.get(name)
            is_functional = isinstance(layer, Model) and not isinstance(layer, Sequential)
            return [name, call - is_functional, output]
        if isinstance(end, list):
            return [self._counted(each) for each in end]
        return {key: self._counted(each) for key, each in end.items()}

    def _add(self, description: Any, group: str) -> None:
        name = description.get("name") or description["config"]["name"]
        if not isinstance(name, str) or name in self._layers:
            raise ValueError(f"two layers have the name {str(name)[:80]!r}, or it is not text")
        layer = self._decoder.decode_layer(description, group)
        self._layers[name] = layer
        self._outputs[name] = []
        calls = description.get("inbound_nodes") or []
        if isinstance(layer, InputLayer):
            self._outputs[name].append([input_tensor(layer)])
            calls = []
        self._waiting[name] = list(calls)

    def _call_ready(self, name: str) -> bool:
        """Call a layer as often as the tensors exist that it is called on."""
        waiting, called = self._waiting[name], False
        while waiting and self._exist(waiting[0]):
            args, kwargs = self._arguments(waiting.pop(0))
            layer = self._layers[name]
            outputs = layer(*args, **kwargs)
            self._outputs[name].append(
                [leaf for leaf in jax.tree.leaves(outputs) if isinstance(leaf, SymbolicTensor)]
            )
            called = True
        return called

    def _exist(self, call: Any) -> bool:
        for name, index, _ in _references(call):
            if name not in self._outputs:
                raise ValueError(f"a call refers to the layer {name[:80]!r}, which does not exist")
            if index >= len(self._outputs[name]):
                return False
        return True

    def _arguments(self, call: Any) -> tuple[list[Any], dict[str, Any]]:
        if isinstance(call, list):
            return self._older_arguments(call)
        args, kwargs = self._replace(call.get("args", [])), self._replace(call.get("kwargs", {}))
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise ValueError(f"a call has the arguments {str(args)[:80]}, {str(kwargs)[:80]}")
        return args, _given(kwargs)

    def _older_arguments(self, call: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of a call as Keras 2 describes it."""
        tensors = [self._tensor(tuple(entry[:3])) for entry in call]
        kwargs = self._replace(call[-1][3]) if call and len(call[-1]) > 3 else {}
        return [tensors[0] if len(tensors) == 1 else tensors], _given(kwargs)

    def _replace(self, data: Any) -> Any:
        """Return arguments, or the ends of the model, with tensors in the place of references."""
        reference = _reference(data)
        if reference is not None:
            return self._tensor(reference)
        if isinstance(data, list):
            return [self._replace(item) for item in data]
        if isinstance(data, dict) and not {"class_name", "config"} <= data.keys():
            return {key: self._replace(item) for key, item in data.items()}
        return self._decoder.decode(data)

    def _tensor(self, reference: Reference) -> SymbolicTensor:
        name, call, index = reference
        try:
            return self._outputs[name][call][index]
        except (KeyError, IndexError):
            raise ValueError(
                f"it refers to the tensor {index} of the call {call} of {name[:80]!r}, which does "
                "not exist"
            ) from None


def _given(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments by name without those that have their default."""
    return {
        name: value for name, value in kwargs.items() if value is not None and name not in _DROPPED
    }


def _reference(data: Any) -> Reference | None:
    """Return what a tensor is named by: a layer, and the numbers of a call and of an output."""
    if isinstance(data, dict) and data.get("class_name") == _REFERENCE:
        config = data.get("config")
        data = config.get("keras_history") if isinstance(config, dict) else None
        if not _is_reference(data):
            raise ValueError("it refers to a tensor in an unknown form")
    return tuple(data) if _is_reference(data) else None


def _is_reference(data: Any) -> bool:
    return (
        isinstance(data, list)
        and len(data) == 3
        and isinstance(data[0], str)
        and all(type(number) is int and number >= 0 for number in data[1:])
    )


def _references(data: Any) -> Iterator[Reference]:
    """Yield all references within the arguments of a call."""
    if isinstance(data, list) and len(data) == 4 and _is_reference(data[:3]):
        yield data[0], data[1], data[2]
        data = data[3]
    reference = _reference(data)
    if reference is not None:
        yield reference
    elif isinstance(data, list | dict):
        for item in data.values() if isinstance(data, dict) else data:
            yield from _references(item)
