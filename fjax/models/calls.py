"""How the layers of a network call one another: what each makes, and where its inputs come from."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax

from fjax.core.calling import CallRecord
from fjax.core.layer import base_name
from fjax.core.outline import Outline
from fjax.typing import PyTree


class LayerCalls(NamedTuple):
    """What the calls of one layer show: the shape of its outputs, and the names of its sources."""

    shape: str
    sources: tuple[str, ...]


def calls_of(
    network: Any, shapes: Outline, specs: Sequence[tuple[PyTree, ...]]
) -> dict[str, LayerCalls]:
    """Return the calls of a network's layers, by name, in the order of their first calls.

    Args:
        network: The network; one that shows no layers is a single one.
        shapes: The shapes of its weights.
        specs: Its inputs at two sizes: an axis that differs is shown as None.
    """
    smaller, larger = (_traced(network, shapes, inputs) for inputs in specs)
    found: dict[str, LayerCalls] = {}
    for one, other in zip(smaller, larger, strict=True):
        known = found.get(one.name)
        shape = merged_shape(one.outputs, other.outputs) if known is None else known.shape
        before = known.sources if known is not None else ()
        sources = dict.fromkeys((*before, *one.sources))
        found[one.name] = LayerCalls(shape, tuple(sources))
    return found


def merged_shape(one: PyTree, other: PyTree) -> str:
    """Return the shapes of outputs as text, None where the two differ.

    >>> spec = jax.ShapeDtypeStruct
    >>> merged_shape(spec((2, 8), "float32"), spec((3, 8), "float32"))
    '(None, 8)'
    """

    def merge(a: Any, b: Any) -> str:
        sizes = [str(x) if x == y else "None" for x, y in zip(a.shape, b.shape, strict=True)]
        return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

    return ", ".join(jax.tree.leaves(jax.tree.map(merge, one, other)))


class _Traced(NamedTuple):
    name: str
    sources: tuple[str, ...]
    outputs: PyTree


def _traced(network: Any, shapes: Outline, inputs: tuple[PyTree, ...]) -> list[_Traced]:
    calls: list[CallRecord] = []

    def run(params: PyTree, state: PyTree, *arrays: PyTree) -> None:
        if hasattr(network, "trace"):
            calls.extend(network.trace(params, state, *arrays))
        else:
            name = getattr(network, "name", None) or base_name(network)
            outputs, _ = network.apply(params, state, *arrays)
            calls.append(CallRecord(name, network, arrays, outputs))

    jax.eval_shape(run, shapes.params, shapes.state, *inputs)
    makers = {id(leaf): call.name for call in calls for leaf in jax.tree.leaves(call.outputs)}
    return [
        _Traced(
            call.name,
            tuple(
                dict.fromkeys(
                    makers[id(leaf)] for leaf in jax.tree.leaves(call.inputs) if id(leaf) in makers
                )
            ),
            jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), call.outputs),
        )
        for call in calls
    ]
