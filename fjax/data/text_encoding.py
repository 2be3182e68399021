"""Text inputs: layers encode them on the host, before the compiled program."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fjax.core import Graph, InputLayer, Layer, Serial
from fjax.core.calling import is_authored
from fjax.core.combinators import Branch
from fjax.core.graph import Ref
from fjax.core.placeholders import PLACEHOLDER_SIZES, merge_shapes, placeholder_spec
from fjax.core.text_inputs import STRING, TEXT_HINT, describe_text, is_text
from fjax.typing import PyTree

Shape = tuple[int | None, ...]


class EncodedText(np.ndarray):
    """Numbers that a model has encoded from text; only these are accepted instead of text."""


def encode_text(name: str, network: Any, inputs: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
    """Return the inputs with text encoded as numbers by the layers that take text.

    Args:
        name: The model's name, for errors.
        network: The model's network.
        inputs: The inputs, in the network's structure.

    Raises:
        ValueError: Text goes to a layer that takes numbers, or to several layers that take text.
        TypeError: Numbers go to a layer that takes text.
    """
    _check_numbers(name, network, inputs)
    return _encode_leaves(
        name, network, inputs, lambda layer, texts: layer.encode(texts).view(EncodedText)
    )


def encodes_text(network: Any, count: int) -> bool:
    """Return whether one of so many inputs goes to a layer that encodes text before training."""
    readers = (layer for position in range(count) for layer in _readers(network, position))
    return any(getattr(layer, "on_host", False) for layer in readers)


def check_text(name: str, network: Any, inputs: tuple[PyTree, ...]) -> None:
    """Raise ValueError if a layer that takes numbers gets text."""
    for position, leaf in enumerate(jax.tree.leaves(inputs)):
        if is_text(leaf):
            _reader(name, network, position, leaf)


def declared_specs(
    name: str, network: Any, declared: tuple[PyTree, ...]
) -> tuple[tuple[PyTree, ...], list[Shape]]:
    """Return the specs of declared inputs, for a batch of size 1, and the shapes of their samples.

    For text, these are the specs and shapes of the encoded numbers.
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
        return placeholder_spec(array.shape[1:], STRING if is_text(array) else array.dtype, which)

    def specs_at(which: int) -> tuple[PyTree, ...]:
        return jax.tree.map(lambda array: spec(array, which), inputs)

    return _specs(name, network, specs_at)


def _specs(
    name: str, network: Any, specs_at: Callable[[int], tuple[PyTree, ...]]
) -> tuple[tuple[PyTree, ...], list[Shape]]:
    _check_numbers(name, network, specs_at(0))
    smaller, larger = (
        _encode_leaves(
            name, network, specs_at(which), lambda layer, spec: layer.encoded_spec(spec.shape)
        )
        for which in range(len(PLACEHOLDER_SIZES))
    )
    pairs = zip(jax.tree.leaves(smaller), jax.tree.leaves(larger), strict=True)
    return smaller, [merge_shapes(a.shape, b.shape)[1:] for a, b in pairs]


def _check_numbers(name: str, network: Any, inputs: tuple[PyTree, ...]) -> None:
    """Raise TypeError if numbers go to a layer that takes text."""
    for position, leaf in enumerate(jax.tree.leaves(inputs)):
        if is_text(leaf) or isinstance(leaf, EncodedText):
            continue
        for layer in _readers(network, position):
            if getattr(layer, "on_host", False):
                raise TypeError(
                    f"`{_argument(network, position)}` must hold text, received {leaf.dtype} of "
                    f"shape {(None, *leaf.shape[1:])}: the model {name!r} begins with {layer!r}. "
                    "To pass numbers, use a model that begins after this layer."
                )


def _encode_leaves(
    name: str, network: Any, inputs: tuple[PyTree, ...], make: Callable[[Any, Any], Any]
) -> tuple[PyTree, ...]:
    leaves, structure = jax.tree.flatten(inputs)
    encoded = [
        make(_reader(name, network, position, leaf), leaf) if is_text(leaf) else leaf
        for position, leaf in enumerate(leaves)
    ]
    return jax.tree.unflatten(structure, encoded)


def _reader(name: str, network: Any, position: int, text: Any) -> Any:
    """Return the layer that a text input goes to."""
    x, readers = _argument(network, position), list[Any]()
    for layer in _readers(network, position) or _text_layers_of(network):
        if not any(layer == other for other in readers):
            readers.append(layer)
    if len(readers) > 1:
        raise ValueError(
            f"The model {name!r} passes the text `{x}` to several layers, {readers}: declare an "
            "`Input` for each, and pass the text to each."
        )
    if not readers or not getattr(readers[0], "takes_text", False):
        first = readers[0] if readers else _first(network)
        raise ValueError(
            f"`{x}` must hold numbers, received {describe_text(text)}: the model {name!r} begins "
            f"with {first!r}, which takes numbers. {TEXT_HINT}"
        )
    if not getattr(readers[0], "on_host", False):
        raise ValueError(
            f"`{x}` must hold numbers, received {describe_text(text)}: within a model "
            f"{readers[0]!r} takes numbers. Call the layer on the text first, and pass its "
            "output to the model."
        )
    return readers[0]


def _argument(network: Any, position: int) -> str:
    """Return the name of an input for errors."""
    names = network.input_names if isinstance(network, Graph) else []
    return f"x[{names[position]!r}]" if len(names) > 1 else "x"


def _readers(network: Any, position: int) -> list[Any]:
    """Return the innermost layers that the leaf of the inputs at a position goes to."""
    if isinstance(network, Serial):
        sublayers = [layer for layer in network.layers if not isinstance(layer, InputLayer)]
        return _readers(sublayers[0], position) if sublayers else []
    if isinstance(network, Branch):
        return [reader for layer in network.layers for reader in _readers(layer, position)]
    if isinstance(network, Graph):
        return [
            reader
            for call in network.calls
            for argument, leaf in enumerate(jax.tree.leaves(call.inputs))
            if isinstance(leaf, Ref) and leaf.value == position
            for reader in _readers(network.layers[call.layer], argument)
        ]
    # The `call` of an authored layer is not traced here.
    return [] if is_authored(network) else [network]


def _text_layers_of(network: Any) -> list[Any]:
    """Return the layers of an authored network that take text."""
    sublayers = network.inside() if is_authored(network) else []
    return [layer for layer in sublayers if getattr(layer, "takes_text", False)]


def _first(network: Any) -> Any:
    layers = [layer for _, layer in network.children()] if isinstance(network, Layer) else []
    sublayers = [layer for layer in layers if not isinstance(layer, InputLayer)]
    return sublayers[0] if sublayers else network
