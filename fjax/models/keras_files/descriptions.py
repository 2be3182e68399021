"""Configurations of Keras from models: the reverse of `configs`."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax

from fjax.core import Graph, InputLayer, Serial
from fjax.core.calling import CallKwargs
from fjax.core.function_calls import Argument, Constant, FunctionCall
from fjax.core.graph import Call, Ref
from fjax.core.masking import Masked
from fjax.core.operations import Index, Operation
from fjax.dtype_policies import DEFAULT, describe_policy
from fjax.models.nested_models import as_model
from fjax.storage.keras_files.encoding import ADVICE, encode_for_keras, encode_object
from fjax.storage.keras_files.layout import keras_class_name
from fjax.storage.keras_files.operations import keras_operation, split_arguments

_OPERATIONS = "keras.src.ops.numpy"
_FUNCTIONAL = "keras.src.models.functional"


def describe_model(model: Any) -> dict[str, Any]:
    """Return a model as Keras describes it.

    Raises:
        TypeError: It contains something that Keras does not have.
        ValueError: It is not built.

    >>> from fjax import Sequential
    >>> from fjax.layers import Dense, Input
    >>> description = describe_model(Sequential([Input((3,)), Dense(2)]))
    >>> [layer["class_name"] for layer in description["config"]["layers"]]
    ['InputLayer', 'Dense']
    """
    cls = type(model)
    if not cls.__module__.startswith("fjax.") and not cls.describes_layers():
        return {**encode_for_keras(model), "build_config": {"input_shape": _shape(model)}}
    network = model.layer_tree
    if isinstance(network, Serial):
        return _sequential(model, network, model.name)
    if isinstance(network, Graph):
        return _functional(model, network, model.name)
    raise TypeError(
        f"The model {model.name!r} is made of {network!r}: a `.keras` file holds a `Sequential`, a "
        f"`Model(inputs, outputs)`, or a class with `call`. {ADVICE}"
    )


def _shape(model: Any) -> Any:
    return list(model.input_shape) if isinstance(model.input_shape, tuple) else model.input_shape


def _describe(parts: Any, layer: Any, name: str) -> dict[str, Any]:
    """Return a layer of a model; models within a model are layers."""
    if isinstance(layer, Serial | Graph) and keras_class_name(layer) in (
        "Sequential",
        "Functional",
    ):
        return describe_model(as_model(parts, layer)) | {"name": name}
    if hasattr(layer, "author"):
        return describe_model(layer.author)
    if isinstance(layer, Operation):
        return _operation(layer.kind, name)
    if isinstance(layer, Index):
        return _operation("GetItem", name)
    if isinstance(layer, FunctionCall):
        return _function(layer, name)
    if not hasattr(layer, "get_config"):
        raise TypeError(f"The layer {name!r}, {layer!r}, is not one of Keras's. {ADVICE}")
    description = encode_object(layer)
    # In a model a layer has a name, also if it was given none. A user's class may take none.
    if type(layer).__module__.startswith("fjax.") or "name" in description["config"]:
        description["config"]["name"] = name
    return description


def _operation(kind: str, name: str) -> dict[str, Any]:
    return {
        "module": _OPERATIONS,
        "class_name": kind,
        "config": {"name": name},
        "registered_name": kind,
    }


def _function(layer: FunctionCall, name: str) -> dict[str, Any]:
    operation = keras_operation(layer.function)
    if operation is None:
        raise TypeError(
            f"The function {layer.function.__name__!r} of the layer {name!r} is not an operation "
            f"of `keras.ops`. {ADVICE}"
        )
    fields, _ = split_arguments(layer.function, layer.arguments, layer.keywords)
    config = {key: _constant(value, f"{name}: `{key}`") for key, value in fields.items()}
    return {
        "module": operation.module,
        "class_name": operation.kind,
        "config": {"name": name, **config},
        "registered_name": operation.kind,
    }


def _constant(value: Any, label: str) -> Any:
    """Return an argument of a function without tensors as Keras describes it."""
    if isinstance(value, Argument):
        raise TypeError(f"{label} is a tensor, and Keras has an argument there. {ADVICE}")
    if isinstance(value, Constant):
        config = {"value": value.array.tolist(), "dtype": value.dtype_name}
        return {"class_name": "__numpy__", "config": config}
    if isinstance(value, list | tuple):
        return [_constant(item, label) for item in value]
    return encode_for_keras(value, label)


def _sequential(model: Any, network: Serial, name: str) -> dict[str, Any]:
    if network.order is not None:
        raise TypeError(
            f"The model {name!r} has a layer twice, as no `Sequential` of Keras. {ADVICE}"
        )
    described = [_describe(model.model_parts, layer, at) for at, layer in network.children()]
    shape = _shape(model) if model.built else None
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": name, "trainable": True, "dtype": describe_policy(DEFAULT), "layers": described,
            "build_input_shape": shape,
        },
        "registered_name": None,
        "build_config": {"input_shape": shape},
    }  # fmt: skip


def _functional(model: Any, network: Graph, name: str) -> dict[str, Any]:
    described = {
        at: _describe(model.model_parts, layer, at) for at, layer in network.layers_in_order()
    }
    references = _References(network)
    nodes: dict[str, list[Any]] = {at: [] for at in described}
    for call in network.calls:
        nodes[network.names[call.layer]].append(references.arguments(call))
    layers = [
        {**description, "name": at, "inbound_nodes": nodes[at]}
        for at, description in described.items()
    ]
    return {
        "module": _FUNCTIONAL,
        "class_name": "Functional",
        "config": {
            "name": name, "trainable": True, "layers": layers,
            "input_layers": references.inputs(), "output_layers": references.outputs(),
        },
        "registered_name": "Functional",
        "build_config": {"input_shape": None},
    }  # fmt: skip


class _References:
    """The values of a graph, each named by a layer, one of its calls, and an output of this."""

    def __init__(self, network: Graph) -> None:
        self._network = network
        masks = _masks((network.outputs, [call.inputs for call in network.calls]))
        self._names: list[tuple[str, int, int]] = [(name, 0, 0) for name in network.input_names]
        counts = dict.fromkeys(network.names, 0)
        for call in network.calls:
            name, first, output = network.names[call.layer], len(self._names), 0
            for value in range(first, first + call.outputs):
                self._names.append((name, counts[name], output))
                output += value not in masks
            counts[name] += 1

    def inputs(self) -> Any:
        """Return the declared inputs in their structure."""
        names = iter(self._network.input_names)
        return jax.tree.map(
            lambda layer: [next(names), 0, 0], self._network.inputs,
            is_leaf=lambda value: isinstance(value, InputLayer),
        )  # fmt: skip

    def outputs(self) -> Any:
        """Return the outputs in their structure."""
        functional = {name for name, layer in self._network.children() if isinstance(layer, Graph)}

        def end(reference: tuple[str, int, int]) -> list[Any]:
            # Here Keras counts for a functional model also its first call, when it was made.
            name, call, output = reference
            return [name, call + (name in functional), output]

        return self._replace(self._network.outputs, end)

    def arguments(self, call: Call) -> dict[str, Any]:
        """Return the arguments of a call."""
        layer = self._network.layers[call.layer]
        *args, kwargs = call.inputs if _has_kwargs(call) else (*call.inputs, {})
        kwargs = {name: self._argument(value) for name, value in kwargs.items()}
        if call.training is True:
            raise TypeError(
                f"The layer {self._network.names[call.layer]!r} is called with `training=True`, "
                f"which Keras forgets in `predict`. {ADVICE}"
            )
        if call.training is False:
            kwargs["training"] = False
        values = [self._argument(value) for value in args]
        if isinstance(layer, FunctionCall):
            return self._function_arguments(layer, values)
        if isinstance(layer, Index):
            return {"args": [*values, _index(layer.index)], "kwargs": kwargs}
        layout = getattr(layer, "keras_layout", None)
        takes_list = (
            layout is not None and layout.takes_list and not hasattr(type(layer), "discover")
        )
        if len(values) > 1 and takes_list and not isinstance(layer, Operation):
            values = [values]
        return {"args": values, "kwargs": kwargs}

    def _function_arguments(self, layer: FunctionCall, inputs: list[Any]) -> dict[str, Any]:
        """Return the arguments of a call of a function with these inputs in their places."""

        def fill(value: Any) -> Any:
            if isinstance(value, Argument):
                return inputs[value.position]
            if isinstance(value, list | tuple):
                return [fill(item) for item in value]
            return _constant(value, "an argument of a call")

        _, called_with = split_arguments(layer.function, layer.arguments, layer.keywords)
        (name, first), *others = called_with.items()
        # `einsum` takes its tensors as `*operands`.
        args = fill(first) if name == "operands" else [fill(first)]
        return {"args": args, "kwargs": {name: fill(value) for name, value in others}}

    def _argument(self, value: Any) -> Any:
        return self._replace(value, self._tensor)

    def _tensor(self, name: tuple[str, int, int]) -> dict[str, Any]:
        # Keras replaces the tensor by the one that its name refers to.
        config = {"shape": [], "dtype": "float32", "keras_history": list(name)}
        return {"class_name": "__keras_tensor__", "config": config}

    def _replace(self, value: Any, describe: Any) -> Any:
        if isinstance(value, Masked):
            return self._replace(value.values, describe)
        if isinstance(value, Ref):
            return describe(self._names[value.value])
        if isinstance(value, Mapping):
            return {key: self._replace(item, describe) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._replace(item, describe) for item in value]
        return encode_for_keras(value, "an argument of a call")


def _masks(value: Any) -> set[int]:
    """Return the numbers of the values that are used as masks."""
    if isinstance(value, Masked):
        return {
            leaf.value for leaf in jax.tree.leaves(value.mask) if isinstance(leaf, Ref)
        } | _masks(value.values)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return {number for item in value for number in _masks(item)}
    return set()


def _has_kwargs(call: Call) -> bool:
    return bool(call.inputs) and isinstance(call.inputs[-1], CallKwargs)


def _index(index: Sequence[Any]) -> list[Any]:
    """Return an index as Keras describes it; see `as_index`."""

    def entry(value: Any) -> Any:
        if value == "...":
            return {"class_name": "__ellipsis__", "config": {}}
        if isinstance(value, tuple):
            bounds = dict(zip(("start", "stop", "step"), value[1:], strict=True))
            return {"class_name": "__slice__", "config": bounds}
        return value

    return [entry(value) for value in index]
