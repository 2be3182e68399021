"""A model as boxes and arrows, from which pictures and text drawings are made."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax

from fjax.core import InputLayer
from fjax.core.flow import Source, join_sources
from fjax.core.freezing import frozen_paths
from fjax.core.naming import kind
from fjax.models import Model
from fjax.models.calls import NetworkCalls, Value
from fjax.models.summary import weights_of

Path = tuple[str, ...]


class Box(NamedTuple):
    """A layer or an input of the model.

    Attributes:
        path: Its name, below the names of those that contain it.
        kind: What it is: the class's name, or the function's.
        layer: The layer; None for an input that no layer declares.
        inputs: What it is called on.
        outputs: What it makes.
        trainable: Whether it is trained; None without weights.
        ends: Whether the model returns one of its outputs.
    """

    path: Path
    kind: str
    layer: Any
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    trainable: bool | None
    ends: bool

    @property
    def begins(self) -> bool:
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
        function: Who asks, for messages.
        model: The model.
        expand_nested: Whether layers within layers are boxes, too.

    Raises:
        TypeError: It is no model.
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
            "layer or network becomes one by `fjax.Model(network, input_shape=…)`."
        )
    calls = model.layer_calls(nested=expand_nested)
    levels = dict(_levels((), calls))
    inputs = _undeclared_inputs(calls)
    arrows: dict[tuple[Path, Path], None] = {}
    for path, level in levels.items():
        for each in level.layers:
            if each.inner is None:
                for source in join_sources(each.sources):
                    for maker in _makers(levels, inputs, path, source):
                        arrows[maker, (*path, each.name)] = None
    ends = {
        maker
        for source in join_sources(calls.outputs)
        for maker in _makers(levels, inputs, (), source)
    }
    boxes = [_input_box(box, number, calls) for number, box in inputs.items()]
    boxes += _boxes(model, (), calls, ends)
    return Diagram(model.name, tuple(boxes), tuple(arrows))


def _levels(path: Path, calls: NetworkCalls) -> Iterator[tuple[Path, NetworkCalls]]:
    """Return the calls of the network and of the layers within it, by path."""
    yield path, calls
    for each in calls.layers:
        if each.inner is not None:
            yield from _levels((*path, each.name), each.inner)


def _undeclared_inputs(calls: NetworkCalls) -> dict[int, Path]:
    """Return boxes for inputs that no layer declares, by number; layers in a row need none."""
    if calls.in_a_row:
        return {}
    met = {
        source.number
        for each in calls.layers
        if not isinstance(each.layer, InputLayer)
        for source in join_sources(each.sources)
        if source.layer is None
    }
    taken = {each.name for each in calls.layers}
    names = (f"input_{n}" if n else "input" for n in itertools.count())
    free = (name for name in names if name not in taken)
    return {number: (next(free),) for number in sorted(met)}


def _makers(
    levels: dict[Path, NetworkCalls], inputs: dict[int, Path], path: Path, source: Source
) -> list[Path]:
    """Return the boxes that a source within a level stands for, through all walls of levels."""
    found: dict[Path, None] = {}
    stack, seen = [(path, source)], set()
    while stack:
        place = stack.pop()
        if place in seen:
            # A level that is called on its own output may hand its input through.
            continue
        seen.add(place)
        path, source = place
        if source.layer is not None:
            own = (*path, source.layer)
            if own in levels:
                stack += [(own, inner) for inner in reversed(levels[own].outputs[source.number])]
            else:
                found[own] = None
        elif path:
            outer = next(each for each in levels[path[:-1]].layers if each.name == path[-1])
            stack += [(path[:-1], each) for each in reversed(outer.sources[source.number])]
        elif source.number in inputs:
            found[inputs[source.number]] = None
    return list(found)


def _input_box(path: Path, number: int, calls: NetworkCalls) -> Box:
    value = (calls.inputs[number],)
    return Box(path, "Input", None, value, value, None, False)


def _boxes(model: Model, path: Path, calls: NetworkCalls, ends: set[Path]) -> list[Box]:
    """Return a box for each layer, in their order; of an expanded one those of its own layers."""
    boxes = []
    frozen = frozen_paths(model.layer_tree)
    for each in calls.layers:
        own = (*path, each.name)
        if each.inner is not None:
            boxes += _boxes(model, own, each.inner, ends)
            continue
        trainable = None
        if each.path is not None:
            place = (*path, *each.path)
            if jax.tree.leaves(weights_of(model.layer_shapes, place)):
                trainable = not any(place[: len(at)] == at for at in frozen)
        boxes.append(
            Box(
                own, kind(each.layer), each.layer, each.inputs, each.outputs, trainable, own in ends
            )
        )
    return boxes
