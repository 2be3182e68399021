"""From the way a layer is called to the inputs of the pair, and back to an author's `call`."""

import inspect
from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fjax.core.masking import split_mask, strip_masks, with_mask
from fjax.core.precision import apply_layer, init_layer
from fjax.core.text import is_text, text_input_error
from fjax.errors import check_keywords, suggestion
from fjax.typing import Key, PyTree

# What `call` is given by the pass, rather than by whoever calls the layer.
GIVEN = ("training", "key")


class CallRecord(NamedTuple):
    """One call of a layer within a network: its name, itself, what it was given and returned.

    Last is the key that it drew by, None where it had none.
    """

    name: str
    layer: Any
    inputs: tuple[PyTree, ...]
    outputs: PyTree
    key: Key | None = None


@jax.tree_util.register_pytree_node_class
class CallKwargs(dict[str, Any]):
    """Inputs that were given by name; they travel as the last of the inputs.

    Plain values (numbers, strings, None) are no leaves: a transformation leaves them as they are,
    so that `call` may decide by them.

    >>> jax.tree.map(lambda x: x + 1, CallKwargs(scale=jnp.ones(()), mode="sum")) == {
    ...     "scale": 2.0, "mode": "sum"
    ... }
    True
    """

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[tuple[str, ...], tuple[Any, ...]]]:
        """Return the values that may be arrays; and their names, and what is plain."""
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
    """Return the inputs that `apply` gets where a layer was called so.

    A list or tuple of inputs is several inputs, unless an author's `call` will take it apart. The
    keyword `mask` becomes part of the inputs; others come behind them, if the layer lists them in
    its `call_options`.

    >>> from fjax.layers import Activation
    >>> call_inputs(Activation("relu"), ([1, 2],), {})
    (1, 2)
    """
    if is_authored(layer):
        return (*inputs, CallKwargs(options)) if options else inputs
    name, known = type(layer).__name__, getattr(layer, "call_options", ())
    check_keywords(name, options, ["training", "mask", *known])
    if len(inputs) == 1 and isinstance(inputs[0], list | tuple):
        inputs = tuple(inputs[0])
    given = {option: value for option, value in options.items() if value is not None}
    inputs = _with_masks(name, inputs, given.pop("mask", None))
    return (*inputs, CallKwargs(given)) if given else inputs


def _with_masks(owner: str, inputs: tuple[Any, ...], mask: Any) -> tuple[Any, ...]:
    """Return the inputs with their masks: one is that of the first, a list has one for each."""
    masks = mask if isinstance(mask, list | tuple) else (mask,)
    if len(masks) > len(inputs):
        raise ValueError(
            f"`{owner}` was called with {len(masks)} masks for {len(inputs)} inputs: give one for "
            "each, None where there is none."
        )
    pairs = zip_longest(inputs, masks)
    return tuple(
        value if own is None else with_mask(strip_masks(value), own) for value, own in pairs
    )


def as_arguments(outputs: PyTree) -> tuple[PyTree, ...]:
    """Return the arguments that a layer's outputs are to the next one: a tuple is several.

    Any other value is one argument: an array, a list, a dict, a named tuple.

    >>> as_arguments((1, 2)), as_arguments([1, 2])
    ((1, 2), ([1, 2],))
    """
    return outputs if type(outputs) is tuple else (outputs,)


def call_arguments(
    owner: Any, inputs: tuple[PyTree, ...], training: bool, key: Key | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments for an author's `call`: positional, and by name.

    Raises:
        TypeError: `call` does not take these inputs.
    """
    label = f"{type(owner).__name__}.call"
    signature = _signature(type(owner).call)
    options: dict[str, Any] = {}
    if inputs and isinstance(inputs[-1], CallKwargs):
        *values, last = inputs
        inputs, options = tuple(values), dict(last)
        if not signature.any_keyword:
            check_keywords(label, options, [*signature.names, "training"])
    inputs_by_position = [name for name in signature.names if name not in (*GIVEN, "mask")]
    if not signature.any_position and len(inputs) > len(inputs_by_position):
        if len(inputs_by_position) != 1:
            raise TypeError(
                f"`{label}` takes {len(inputs_by_position)} inputs "
                f"({', '.join(inputs_by_position)}), received {len(inputs)}."
            )
        inputs = (inputs,)
    missing = [name for name in signature.required[len(inputs) :] if name not in (*GIVEN, *options)]
    if missing:
        raise TypeError(
            f"`{label}` takes the inputs {', '.join(signature.required)}, received {len(inputs)}: "
            f"{', '.join(missing)} is missing."
        )
    for name, value in zip(GIVEN, (training, key), strict=True):
        if name in signature.names:
            options.setdefault(name, value)
    if "mask" in signature.names:
        options["mask"] = masks_of(inputs, options)
        inputs = strip_masks(inputs)
    return inputs, options


def masks_of(inputs: tuple[PyTree, ...], options: Mapping[str, Any]) -> Any:
    """Return the mask of an author's inputs: the one that was given by name, or that they carry.

    Of a list or tuple of inputs it is a list, as in Keras.
    """
    if options.get("mask") is not None or not inputs:
        return options.get("mask")
    first = inputs[0]
    if isinstance(first, list | tuple):
        return [split_mask(value)[1] for value in first]
    return split_mask(first)[1]


def takes_mask(owner: Any) -> bool:
    """Tell whether an author's `call` is given the mask of its inputs."""
    return "mask" in _signature(type(owner).call).names


def takes_training(owner: Any) -> bool:
    """Tell whether an author's `call` is given the mode."""
    return "training" in _signature(type(owner).call).names


def build_arguments(
    owner: Any, arguments: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Any, ...]:
    """Return the shapes that an author's `build` is given, None for the batch axis, as in Keras.

    With one parameter it gets the shape of the first input: a list or dict of shapes where that is
    several arrays. With several parameters, `a_shape` is the shape of the argument `a` of `call`.

    Raises:
        TypeError: `build` asks for something else.
    """
    expected = _signature(type(owner).build).names
    if len(expected) <= 1:
        return tuple(_shape_of(value) for value in arguments[: len(expected)])
    names = _signature(type(owner).call).names
    given = {**dict(zip(names, arguments, strict=False)), **options}
    shapes = {f"{name}_shape": _shape_of(value) for name, value in given.items()}
    for name in expected:
        if name not in shapes:
            label = type(owner).__name__
            known = ", ".join(f"{name}_shape" for name in names if name not in GIVEN)
            raise TypeError(
                f"`{label}.build` asks for `{name}`: of several parameters each is the name of an "
                f"argument of `{label}.call` with `_shape` behind it: {known}."
                f"{suggestion(name, shapes)}"
            )
    return tuple(shapes[name] for name in expected)


def _shape_of(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_shape_of(item) for item in value]
    if isinstance(value, dict):
        return {name: _shape_of(item) for name, item in value.items()}
    return (None, *value.shape[1:]) if getattr(value, "shape", ()) else None


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bytes | bool | int | float | complex)


def call_without_weights(
    layer: Any, inputs: tuple[Any, ...], training: bool, options: dict[str, Any]
) -> Any:
    """Return the outputs of a layer that has no weights, for arrays.

    Raises:
        TypeError: The layer has weights, which it does not own.
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


class _Signature(NamedTuple):
    names: tuple[str, ...]
    required: tuple[str, ...]
    any_position: bool
    any_keyword: bool


def _signature(function: Callable[..., Any]) -> _Signature:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return _Signature(
        names=tuple(p.name for p in named),
        required=tuple(p.name for p in named if p.default is p.empty and p.name not in GIVEN),
        any_position=any(p.kind is p.VAR_POSITIONAL for p in parameters),
        any_keyword=any(p.kind is p.VAR_KEYWORD for p in parameters),
    )
