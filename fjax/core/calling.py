"""From the way a layer is called to the inputs of its `apply`."""

from itertools import zip_longest
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fjax.core.masking import strip_masks, with_mask
from fjax.core.precision import apply_layer, init_layer
from fjax.core.text_inputs import is_text, text_input_error
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
    keyword `mask` becomes part of the inputs, as does the second argument if the layer's class has
    `takes_mask_second = True`. Other keywords come after them, if the layer lists
    them in its `call_options`.

    >>> from fjax.layers import Activation
    >>> call_inputs(Activation("relu"), ([1, 2],), {})
    (1, 2)
    """
    if is_authored(layer):
        return (*inputs, CallKwargs(options)) if options else inputs
    owner, known = type(layer).__name__, getattr(layer, "call_options", ())
    check_keywords(owner, options, ["training", "mask", *known])
    if len(inputs) == 2 and getattr(layer, "takes_mask_second", False):
        options = {"mask": inputs[1], **options}
        inputs = inputs[:1]
    if len(inputs) == 1 and isinstance(inputs[0], list | tuple):
        inputs = tuple(inputs[0])
    keywords = {name: value for name, value in options.items() if value is not None}
    inputs = _with_masks(owner, inputs, keywords.pop("mask", None))
    return (*inputs, CallKwargs(keywords)) if keywords else inputs


def _with_masks(owner: str, inputs: tuple[Any, ...], mask: Any) -> tuple[Any, ...]:
    """Return the inputs with their masks: one is that of the first, a list has one for each."""
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


def call_without_weights(
    layer: Any, inputs: tuple[Any, ...], training: bool, options: dict[str, Any]
) -> Any:
    """Return the outputs of a layer without weights, for arrays.

    Raises:
        TypeError: The layer has weights: it owns no arrays that it could use for them.
    """
    for value in inputs:
        if is_text(value):
            raise text_input_error(type(layer).__name__, value)
    values = tuple(
        value if isinstance(value, CallKwargs) else jax.tree.map(jnp.asarray, value)
        for value in call_inputs(layer, inputs, options)
    )
    params, state = jax.eval_shape(lambda: init_layer(layer, jax.random.key(0), *values))
    if jax.tree.leaves((params, state)):
        raise TypeError(
            f"{layer!r} was called on arrays, and owns no weights that it could use: put it "
            "into a model, as `fjax.Sequential([layer])`, or use its pair, `params, state = "
            "layer.init(key, x)` and `outputs, state = layer.apply(params, state, x)`. Within an "
            "authored layer, make it in `__init__` or `build`, not in `call`."
        )
    return apply_layer(layer, params, state, *values, training=training)[0]


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bytes | bool | int | float | complex)
