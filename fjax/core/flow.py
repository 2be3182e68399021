"""Which layer's outputs lead to which layer's inputs, read from the trace of an author's `call`."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import jax
from jax.ad_checkpoint import checkpoint_name

from fjax.core.masking import is_masked, split_mask, with_mask
from fjax.typing import PyTree

_MARK = "fjax"


class Source(NamedTuple):
    """Where a value comes from.

    Attributes:
        layer: The layer that makes it; None for an input of the whole.
        number: Which of the outputs' leaves it is, or which of the inputs'.
    """

    layer: str | None
    number: int


Sources = tuple[Source, ...]


def marked(tree: PyTree, side: str, layer: str) -> PyTree:
    """Return the same values, named in the trace as a layer's: `side` is "in" or "out".

    >>> inputs = jax.ShapeDtypeStruct((2,), "float32")
    >>> traced = jax.make_jaxpr(lambda x: marked(marked(x, "out", "a") + 1, "in", "b"))(inputs)
    >>> sources(traced.jaxpr, [()])
    {('b', 0): (Source(layer='a', number=0),)}
    """
    leaves, structure = jax.tree.flatten(tree, is_leaf=is_masked)
    named = [_named(leaf, f"{_MARK}/{side}/{layer}/{number}") for number, leaf in enumerate(leaves)]
    return jax.tree.unflatten(structure, named)


def _named(leaf: Any, name: str) -> Any:
    # A mask goes where its values go.
    values, mask = split_mask(leaf)
    return with_mask(checkpoint_name(values, name), mask) if hasattr(values, "shape") else leaf


def sources(jaxpr: Any, given: Sequence[Sources]) -> dict[tuple[str, int], Sources]:
    """Return where the marked inputs of layers come from, by layer and number of the leaf.

    Args:
        jaxpr: The trace.
        given: Where the trace's own inputs come from.
    """
    found: dict[tuple[str, int], Sources] = {}
    _follow(jaxpr, given, found)
    return found


def _follow(
    jaxpr: Any, given: Sequence[Sources], found: dict[tuple[str, int], Sources]
) -> list[Sources]:
    """Return where the outputs of a trace come from."""
    known = dict(zip(jaxpr.invars, given, strict=True))

    def of(value: Any) -> Sources:
        # A number that is written into the trace has a `val`, and comes from no layer.
        return () if hasattr(value, "val") else known.get(value, ())

    for equation in jaxpr.eqns:
        inputs = [of(value) for value in equation.invars]
        mark = str(equation.params.get("name", "")).split("/")
        if mark[0] == _MARK:
            _, side, layer, number = mark
            outputs = inputs
            if side == "in":
                place = (layer, int(number))
                found[place] = join_sources([found.get(place, ()), *inputs])
            else:
                outputs = [(Source(layer, int(number)),)]
        else:
            outputs = _through(equation, inputs, found)
        known.update(zip(equation.outvars, outputs, strict=True))
    return [of(value) for value in jaxpr.outvars]


def _through(
    equation: Any, inputs: list[Sources], found: dict[tuple[str, int], Sources]
) -> list[Sources]:
    """Return where an equation's outputs come from: all of its inputs, or what its body says."""
    whole = join_sources(inputs)
    count = len(equation.outvars)
    bodies = []
    for body in _bodies(equation.params.values()):
        size = len(body.invars)
        # A loop's or branch's own operands are the last ones.
        own = inputs[len(inputs) - size :] if size <= len(inputs) else [whole] * size
        outputs = _follow(body, own, found)
        if len(outputs) == count:
            bodies.append(outputs)
    if not bodies:
        return [whole] * count
    return [join_sources(outputs) for outputs in zip(*bodies, strict=True)]


def _bodies(values: Iterable[Any]) -> list[Any]:
    """Return the traces among an equation's settings, closed or not, also in lists."""
    bodies = []
    for value in values:
        if isinstance(value, list | tuple):
            bodies += _bodies(value)
        elif hasattr(value, "jaxpr"):
            bodies.append(value.jaxpr)
        elif hasattr(value, "eqns"):
            bodies.append(value)
    return bodies


def join_sources(several: Iterable[Sources]) -> Sources:
    """Return all sources, each once, in the order in which they were met."""
    return tuple(dict.fromkeys(source for group in several for source in group))
