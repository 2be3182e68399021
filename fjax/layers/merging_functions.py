"""Merge layers as functions of a list of inputs."""

from typing import Any

from fjax.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)


def add(inputs: Any, name: str | None = None) -> Any:
    """Return the sum of a list of inputs, entry by entry; see `Add`."""
    return _call_on_list("add", Add(name=name), inputs)


def subtract(inputs: Any, name: str | None = None) -> Any:
    """Return the first of two inputs minus the second, entry by entry; see `Subtract`."""
    return _call_on_list("subtract", Subtract(name=name), inputs)


def multiply(inputs: Any, name: str | None = None) -> Any:
    """Return the product of a list of inputs, entry by entry; see `Multiply`."""
    return _call_on_list("multiply", Multiply(name=name), inputs)


def average(inputs: Any, name: str | None = None) -> Any:
    """Return the mean of a list of inputs, entry by entry; see `Average`."""
    return _call_on_list("average", Average(name=name), inputs)


def maximum(inputs: Any, name: str | None = None) -> Any:
    """Return the maximum of a list of inputs, entry by entry; see `Maximum`."""
    return _call_on_list("maximum", Maximum(name=name), inputs)


def minimum(inputs: Any, name: str | None = None) -> Any:
    """Return the minimum of a list of inputs, entry by entry; see `Minimum`."""
    return _call_on_list("minimum", Minimum(name=name), inputs)


def concatenate(inputs: Any, axis: int = -1, name: str | None = None) -> Any:
    """Return the concatenation of a list of inputs along one axis; see `Concatenate`."""
    return _call_on_list("concatenate", Concatenate(axis, name=name), inputs)


def dot(inputs: Any, axes: Any = -1, normalize: bool = False, name: str | None = None) -> Any:
    """Return the dot product of two inputs, sample by sample; see `Dot`."""
    return _call_on_list("dot", Dot(axes, normalize, name=name), inputs)


def _call_on_list(function: str, layer: Any, inputs: Any) -> Any:
    if not isinstance(inputs, list | tuple):
        raise TypeError(
            f"`{function}` takes a list of inputs, received an input of type "
            f"`{type(inputs).__name__}`. Write `{function}([first, second])`."
        )
    return layer(inputs)
