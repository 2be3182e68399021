"""Dataflow between the sublayers of an authored layer, read from a trace of its `call`."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import jax
from jax.ad_checkpoint import checkpoint_name

from fjax.core.masking import is_masked, split_mask, with_mask
from fjax.typing import PyTree

# Begins the names of marked values in a trace.
_PREFIX = "fjax"


class Origin(NamedTuple):
    """Where a value comes from.

    Attributes:
        layer: The name of the layer that returns it; None for an input of the network.
        position: Its position among the layer's flat outputs, or the network's flat inputs.
    """

    layer: str | None
    position: int


# All values that one value is computed from.
Origins = tuple[Origin, ...]


def mark(tree: PyTree, side: str, layer: str) -> PyTree:
    """Return the same values, marked in the trace as the inputs or outputs of a layer.

    Args:
        tree: The values.
        side: "in" or "out".
        layer: The name of the layer.

    >>> inputs = jax.ShapeDtypeStruct((2,), "float32")
    >>> traced = jax.make_jaxpr(lambda x: mark(mark(x, "out", "a") + 1, "in", "b"))(inputs)
    >>> find_origins(traced.jaxpr, [()])
    {('b', 0): (Origin(layer='a', position=0),)}
    """
    leaves, structure = jax.tree.flatten(tree, is_leaf=is_masked)
    marked = [_mark_leaf(leaf, f"{_PREFIX}/{side}/{layer}/{n}") for n, leaf in enumerate(leaves)]
    return jax.tree.unflatten(structure, marked)


def _mark_leaf(leaf: Any, name: str) -> Any:
    # A mask has the origin of its values.
    values, mask = split_mask(leaf)
    return with_mask(checkpoint_name(values, name), mask) if hasattr(values, "shape") else leaf


def find_origins(jaxpr: Any, inputs: Sequence[Origins]) -> dict[tuple[str, int], Origins]:
    """Return the origins of the marked inputs of layers, by layer and position of the input.

    Args:
        jaxpr: The trace.
        inputs: The origins of the trace's own inputs.
    """
    origins: dict[tuple[str, int], Origins] = {}
    _follow(jaxpr, inputs, origins)
    return origins


def _follow(
    jaxpr: Any, inputs: Sequence[Origins], origins: dict[tuple[str, int], Origins]
) -> list[Origins]:
    """Return the origins of a trace's outputs, and add those of marked inputs to `origins`."""
    known = dict(zip(jaxpr.invars, inputs, strict=True))

    def origins_of(value: Any) -> Origins:
        # A literal has a `val`; it comes from no layer.
        return () if hasattr(value, "val") else known.get(value, ())

    for equation in jaxpr.eqns:
        operands = [origins_of(value) for value in equation.invars]
        name = str(equation.params.get("name", "")).split("/")
        if name[0] == _PREFIX:
            _, side, layer, position = name
            results = operands
            if side == "in":
                entry = (layer, int(position))
                origins[entry] = merge_origins([origins.get(entry, ()), *operands])
            else:
                results = [(Origin(layer, int(position)),)]
        else:
            results = _follow_equation(equation, operands, origins)
        known.update(zip(equation.outvars, results, strict=True))
    return [origins_of(value) for value in jaxpr.outvars]


def _follow_equation(
    equation: Any, operands: list[Origins], origins: dict[tuple[str, int], Origins]
) -> list[Origins]:
    """Return the origins of an equation's results, by following its bodies if it has some."""
    merged = merge_origins(operands)
    count = len(equation.outvars)
    bodies = []
    for body in _bodies(equation.params.values()):
        size = len(body.invars)
        # The operands of the body of a loop or branch are the last ones of the equation.
        inputs = operands[len(operands) - size :] if size <= len(operands) else [merged] * size
        results = _follow(body, inputs, origins)
        if len(results) == count:
            bodies.append(results)
    if not bodies:
        return [merged] * count
    return [merge_origins(results) for results in zip(*bodies, strict=True)]


def _bodies(values: Iterable[Any]) -> list[Any]:
    """Return the traces among an equation's params, closed or open, also in lists."""
    bodies = []
    for value in values:
        if isinstance(value, list | tuple):
            bodies += _bodies(value)
        elif hasattr(value, "jaxpr"):
            bodies.append(value.jaxpr)
        elif hasattr(value, "eqns"):
            bodies.append(value)
    return bodies


def merge_origins(groups: Iterable[Origins]) -> Origins:
    """Return the origins of all groups, each once, in order of appearance."""
    return tuple(dict.fromkeys(origin for group in groups for origin in group))
