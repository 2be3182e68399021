"""From the way a layer is called to the inputs of its `apply`."""

from itertools import zip_longest
from typing import Any, NamedTuple

import jax

from fjax.core.masking import strip_masks, with_mask
from fjax.errors import check_keywords
from fjax.typing import Key, PyTree


class CallRecord(NamedTuple):
    """One call of a layer within a network.

    Attributes:
        name: The layer's name in the network.
        layer: The layer.
        inputs: What it was called on.
        outputs: What it returned.
        key: The key of the call, or None.
    """

    name: str
    layer: Any
    inputs: tuple[PyTree, ...]
    outputs: PyTree
    key: Key | None = None


@jax.tree_util.register_pytree_node_class
class CallKwargs(dict[str, Any]):
    """Inputs that were given by name; they travel as the last of the inputs.

    Plain values (numbers, strings, None) are not leaves: a transformation leaves them as they are,
    so that `call` may branch on them.

    >>> import jax.numpy as jnp
    >>> jax.tree.map(lambda x: x + 1, CallKwargs(scale=jnp.ones(()), mode="sum")) == {
    ...     "scale": 2.0, "mode": "sum"
    ... }
    True
    """

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[tuple[str, ...], tuple[Any, ...]]]:
        """Return the values that may be arrays; and their names, and the plain values."""
        fixed = {name: value for name, value in self.items() if _is_plain(value)}
        names = tuple(sorted(self.keys() - fixed.keys()))
        return tuple(self[name] for name in names), (names, tuple(sorted(fixed.items())))

    @classmethod
    def tree_unflatten(
        cls, known: tuple[tuple[str, ...], tuple[Any, ...]], values: tuple[Any, ...]
    ) -> "CallKwargs":
        """Return what was flattened."""
        names, fixed = known
        return cls((*zip(names, values, strict=True), *fixed))


def is_authored(layer: Any) -> bool:
    """Tell whether a layer's pair is made of an author's `build` and `call`."""
    return hasattr(type(layer), "discover")


def call_inputs(layer: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> tuple[PyTree, ...]:
    """Return the inputs of `apply` for a call of a layer.

    A list or tuple of inputs is several inputs, unless an author's `call` is to unpack it. The
    keyword `mask` becomes part of the inputs. Other keywords come after them, if the layer lists
    them in its `call_options`.

    >>> from fjax.layers import Activation
    >>> call_inputs(Activation("relu"), ([1, 2],), {})
    (1, 2)
    """
    if is_authored(layer):
        return (*inputs, CallKwargs(options)) if options else inputs
    owner, known = type(layer).__name__, getattr(layer, "call_options", ())
    inputs, options = _by_position(layer, inputs, options)
    check_keywords(owner, options, ["training", "mask", *known])
    if len(inputs) == 1 and isinstance(inputs[0], list | tuple):
        inputs = tuple(inputs[0])
    keywords = {name: value for name, value in options.items() if value is not None}
    inputs = _with_masks(owner, inputs, keywords.pop("mask", None))
    return (*inputs, CallKwargs(keywords)) if keywords else inputs


def _by_position(
    layer: Any, inputs: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a call's inputs with those that were given by name, and its options with the mask."""
    names: tuple[str, ...] = getattr(layer, "call_parameters", ("inputs",))
    if not inputs and names[0] in options:
        others = {name: value for name, value in options.items() if name != names[0]}
        return (options[names[0]],), others
    if names[1:] == ("mask",) and len(inputs) == 2 and options.get("mask") is None:
        return inputs[:1], {**options, "mask": inputs[-1]}
    return inputs, options


def _with_masks(owner: str, inputs: tuple[Any, ...], mask: Any) -> tuple[Any, ...]:
    """Return the inputs with their masks: one is that of the first, a list has one for each."""
    if mask is None:
        return inputs
    masks = mask if isinstance(mask, list | tuple) else (mask,)
    if len(masks) > len(inputs):
        raise ValueError(
            f"`{owner}` was called with {len(masks)} masks for {len(inputs)} inputs. Give one for "
            "each, and None for an input without a mask."
        )
    pairs = zip_longest(inputs, masks)
    return tuple(
        value if own_mask is None else with_mask(strip_masks(value), own_mask)
        for value, own_mask in pairs
    )


def as_arguments(outputs: PyTree) -> tuple[PyTree, ...]:
    """Return a layer's outputs as arguments of the next layer: a tuple is several.

    Any other value is one argument: an array, a list, a dict, a named tuple.

    >>> as_arguments((1, 2)), as_arguments([1, 2])
    ((1, 2), ([1, 2],))
    """
    return outputs if type(outputs) is tuple else (outputs,)


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bytes | bool | int | float | complex)
