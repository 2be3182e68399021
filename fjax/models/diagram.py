"""A model as boxes and arrows, of which pictures and text drawings are made."""

import itertools
from typing import Any, NamedTuple

import jax

from fjax.core import InputLayer
from fjax.core.flow import Origin, merge_origins
from fjax.core.layer_walk import ArraySpec, LayerRecord, NetworkRecord, Path
from fjax.core.naming import kind
from fjax.models import Model


class Box(NamedTuple):
    """A layer or an input of the model.

    Attributes:
        path: Its name, after the names of the layers that contain it.
        kind: The name of its class or function.
        layer: The layer; None for an input that no layer declares.
        inputs: The arrays that it is called on.
        outputs: The arrays that it returns.
        trainable: Whether training changes its weights; None without weights.
        is_output: Whether the model returns one of its outputs.
    """

    path: Path
    kind: str
    layer: Any
    inputs: tuple[ArraySpec, ...]
    outputs: tuple[ArraySpec, ...]
    trainable: bool | None
    is_output: bool

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the model."""
        return self.layer is None or isinstance(self.layer, InputLayer)


class Diagram(NamedTuple):
    """A model's name, its boxes, and arrows from box to box, by their paths."""

    name: str
    boxes: tuple[Box, ...]
    arrows: tuple[tuple[Path, Path], ...]


def diagram_of(function: str, model: Any, expand_nested: bool = False) -> Diagram:
    """Return the boxes and arrows of a model; a layer that is called several times is one box.

    Args:
        function: The function that the user called, for errors.
        model: The model.
        expand_nested: Whether the layers inside layers are boxes, in place of the whole.

    Raises:
        TypeError: `model` is no model.
        ValueError: Its input shape is not known yet.

    >>> from fjax import Sequential
    >>> from fjax.layers import Dense, Input
    >>> model = Sequential([Input((4,)), Dense(3), Dense(1)])
    >>> diagram_of("text_drawing", model).arrows
    ((('dense',), ('dense_1',)),)
    """
    if not isinstance(model, Model):
        raise TypeError(
            f"`{function}` draws a model, received {model!r} of type `{type(model).__name__}`. A "
            "layer or network becomes a model by `fjax.Model(network, input_shape=…)`."
        )
    network = model.layer_calls(nested=expand_nested)
    records = {record.path: record for record in network.walk()}
    inputs = _undeclared_inputs(network)
    arrows: dict[tuple[Path, Path], None] = {}
    levels = [network, *(record.inner for record in records.values() if record.inner is not None)]
    for record in itertools.chain.from_iterable(level.layers for level in levels):
        if record.inner is None:
            for origin in merge_origins(record.origins):
                for path in _boxes_of(origin, record.path[:-1], records, inputs):
                    arrows[path, record.path] = None
    outputs = {
        path
        for origin in merge_origins(network.outputs)
        for path in _boxes_of(origin, (), records, inputs)
    }
    boxes = []
    for position, path in inputs.items():
        arrays = (network.inputs[position],)
        boxes.append(Box(path, "Input", None, arrays, arrays, None, False))
    for record in records.values():
        if record.inner is None:
            trainable = record.trainable if jax.tree.leaves(record.weights) else None
            boxes.append(
                Box(
                    record.path, kind(record.layer), record.layer, record.inputs, record.outputs,
                    trainable, record.path in outputs,
                )
            )  # fmt: skip
    return Diagram(model.name, tuple(boxes), tuple(arrows))


def _undeclared_inputs(network: NetworkRecord) -> dict[int, Path]:
    """Return the paths of boxes for inputs that no layer declares, by the position of the input.

    A sequence of layers is drawn without its input.
    """
    if network.is_sequence:
        return {}
    taken = {record.name for record in network.layers}
    names = (f"input_{n}" if n else "input" for n in itertools.count())
    free = (name for name in names if name not in taken)
    return {position: (next(free),) for position in network.undeclared_inputs}


def _boxes_of(
    origin: Origin, within: Path, records: dict[Path, LayerRecord], inputs: dict[int, Path]
) -> list[Path]:
    """Return the paths of the boxes that return a value, through the frames of expanded layers.

    Args:
        origin: The origin of the value.
        within: The path of the expanded layer to which the origin belongs.
        records: The records of all layers, by path.
        inputs: The boxes of undeclared inputs, by the position of the input.
    """
    boxes: dict[Path, None] = {}
    stack, visited = [(within, origin)], set()
    while stack:
        entry = stack.pop()
        if entry in visited:
            # An expanded layer that is called on its own output may return its input.
            continue
        visited.add(entry)
        within, origin = entry
        if origin.layer is not None:
            path = (*within, origin.layer)
            inner = records[path].inner if path in records else None
            if inner is None:
                boxes[path] = None
            else:
                stack += [(path, each) for each in reversed(inner.outputs[origin.position])]
        elif within:
            outer = records[within].origins[origin.position]
            stack += [(within[:-1], each) for each in reversed(outer)]
        elif origin.position in inputs:
            boxes[inputs[origin.position]] = None
    return list(boxes)
