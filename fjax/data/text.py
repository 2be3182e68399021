"""Text among a model's inputs: its layers on text work on the host, before the compiled program."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fjax.core import Graph, InputLayer, Serial
from fjax.core.calling import is_authored
from fjax.core.combinators import Branch
from fjax.core.graph import Ref
from fjax.core.inputs import SIZES, any_size, sized
from fjax.core.text import MAKE_NUMBERS, STRING, described, is_text
from fjax.models.parts import parts
from fjax.typing import PyTree

Shape = tuple[int | None, ...]


class EncodedText(np.ndarray):
    """Numbers that a model has made of text: it takes these again, and no others in its place."""


def encode_text(name: str, network: Any, inputs: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
    """Return inputs with numbers in the place of text, made by the layers that it goes to.

    Args:
        name: The model's name, for messages.
        network: The model's network.
        inputs: The inputs, arranged as the network takes them.

    Raises:
        ValueError: Text goes to a layer on numbers, or to several layers on text.
        TypeError: Numbers go to a layer on text.
    """
    _check_numbers(name, network, inputs)
    return _replaced(
        name, network, inputs, lambda layer, texts: layer.encode(texts).view(EncodedText)
    )


def check_text(name: str, network: Any, inputs: tuple[PyTree, ...]) -> None:
    """Raise ValueError where text is given to a network that takes none there."""
    for place, leaf in enumerate(jax.tree.leaves(inputs)):
        if is_text(leaf):
            _reader(name, network, place, leaf)


def declared_specs(
    name: str, network: Any, declared: tuple[PyTree, ...]
) -> tuple[tuple[PyTree, ...], list[Shape]]:
    """Return the specs of declared inputs, for a batch of one, and the shapes of their samples.

    Those of text are the specs and shapes of what its layer makes of it.
    """

    def specs_at(which: int) -> tuple[PyTree, ...]:
        return jax.tree.map(lambda layer: layer.spec(which), declared)

    return _specs(name, network, specs_at)


def first_specs(
    name: str, network: Any, inputs: tuple[PyTree, ...]
) -> tuple[tuple[PyTree, ...], list[Shape]]:
    """Return the specs for inputs like these, as `declared_specs` does."""
    check_text(name, network, inputs)

    def spec(array: Any, which: int) -> jax.ShapeDtypeStruct:
        return sized(array.shape[1:], STRING if is_text(array) else array.dtype, which)

    def specs_at(which: int) -> tuple[PyTree, ...]:
        return jax.tree.map(lambda array: spec(array, which), inputs)

    return _specs(name, network, specs_at)


def _specs(
    name: str, network: Any, specs_at: Callable[[int], tuple[PyTree, ...]]
) -> tuple[tuple[PyTree, ...], list[Shape]]:
    _check_numbers(name, network, specs_at(0))
    smaller, larger = (
        _replaced(
            name, network, specs_at(which), lambda layer, spec: layer.encoded_spec(spec.shape)
        )
        for which in range(len(SIZES))
    )
    pairs = zip(jax.tree.leaves(smaller), jax.tree.leaves(larger), strict=True)
    return smaller, [any_size(one.shape, other.shape)[1:] for one, other in pairs]


def _check_numbers(name: str, network: Any, inputs: tuple[PyTree, ...]) -> None:
    """Raise TypeError where numbers go to a layer on text."""
    for place, leaf in enumerate(jax.tree.leaves(inputs)):
        if is_text(leaf) or isinstance(leaf, EncodedText):
            continue
        for layer in _readers(network, place):
            if getattr(layer, "on_host", False):
                raise TypeError(
                    f"`{_argument(network, place)}` must hold text, received {leaf.dtype} of shape "
                    f"{(None, *leaf.shape[1:])}: the model {name!r} begins with {layer!r}. A "
                    "model on what the layer returns begins behind it."
                )


def _replaced(
    name: str, network: Any, inputs: tuple[PyTree, ...], make: Callable[[Any, Any], Any]
) -> tuple[PyTree, ...]:
    leaves, structure = jax.tree.flatten(inputs)
    made = [
        make(_reader(name, network, place, leaf), leaf) if is_text(leaf) else leaf
        for place, leaf in enumerate(leaves)
    ]
    return jax.tree.unflatten(structure, made)


def _reader(name: str, network: Any, place: int, text: Any) -> Any:
    """Return the layer that an input goes to, which must be on text."""
    x, readers = _argument(network, place), list[Any]()
    for layer in _readers(network, place) or _of_author(network):
        if not any(layer == other for other in readers):
            readers.append(layer)
    if len(readers) > 1:
        raise ValueError(
            f"The model {name!r} gives the text `{x}` to several layers, {readers}: declare an "
            "`Input` for each, and give the text to each."
        )
    if not readers or not getattr(readers[0], "takes_text", False):
        first = readers[0] if readers else _first(network)
        raise ValueError(
            f"`{x}` must hold numbers, received {described(text)}: the model {name!r} begins with "
            f"{first!r}, which takes numbers. {MAKE_NUMBERS}"
        )
    if not getattr(readers[0], "on_host", False):
        raise ValueError(
            f"`{x}` must hold numbers, received {described(text)}: within a model {readers[0]!r} "
            "takes numbers. Call the layer on the text first, and give the model what it returns."
        )
    return readers[0]


def _argument(network: Any, place: int) -> str:
    """Return what a message calls an input."""
    names = network.input_names if isinstance(network, Graph) else []
    return f"x[{names[place]!r}]" if len(names) > 1 else "x"


def _readers(network: Any, place: int) -> list[Any]:
    """Return the layers, made of no others, that the leaf in this place of the inputs goes to."""
    if isinstance(network, Serial):
        inside = [layer for layer in network.layers if not isinstance(layer, InputLayer)]
        return _readers(inside[0], place) if inside else []
    if isinstance(network, Branch):
        return [reader for layer in network.layers for reader in _readers(layer, place)]
    if isinstance(network, Graph):
        return [
            reader
            for call in network.calls
            for position, leaf in enumerate(jax.tree.leaves(call.inputs))
            if isinstance(leaf, Ref) and leaf.value == place
            for reader in _readers(network.layers[call.layer], position)
        ]
    # What an author's `call` does with an input is not known.
    return [] if is_authored(network) else [network]


def _of_author(network: Any) -> list[Any]:
    """Return the layers on text of an authored network, of which text is meant for one."""
    inside = network.inside() if is_authored(network) else []
    return [layer for layer in inside if getattr(layer, "takes_text", False)]


def _first(network: Any) -> Any:
    layers = [layer for _, layer, path in parts(network) if path is not None]
    inside = [layer for layer in layers if not isinstance(layer, InputLayer)]
    return inside[0] if inside else network
