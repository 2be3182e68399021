"""The arguments of an author's `call` and `build`, from the inputs of `apply`."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fjax.core.calling import CallKwargs
from fjax.core.masking import split_mask, strip_masks
from fjax.errors import check_keywords, suggestion
from fjax.typing import Key, PyTree

# The arguments of `call` that the pass gives, and not the code that calls the layer.
GIVEN_BY_PASS = ("training", "key")


def call_arguments(
    author: Any, inputs: tuple[PyTree, ...], training: bool | None, key: Key | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments for an author's `call`: by position, and by name.

    Raises:
        TypeError: `call` does not take these inputs.
    """
    label = f"{type(author).__name__}.call"
    signature = _signature(type(author).call)
    inputs, options = _split_options(label, signature, inputs)
    inputs = _fitted(label, signature, inputs, options)
    for name, value in zip(GIVEN_BY_PASS, (training, key), strict=True):
        if name in signature.names:
            options.setdefault(name, value)
    if "mask" in signature.names:
        options["mask"] = mask_of(inputs, options)
        inputs = strip_masks(inputs)
    return inputs, options


def mask_of(inputs: tuple[PyTree, ...], options: Mapping[str, Any]) -> Any:
    """Return the mask of an author's inputs: the one that was given by name, or the first input's.

    For a list or tuple of inputs it is a list, as in Keras.
    """
    if options.get("mask") is not None or not inputs:
        return options.get("mask")
    first = inputs[0]
    if isinstance(first, list | tuple):
        return [split_mask(value)[1] for value in first]
    return split_mask(first)[1]


def takes_mask(author: Any) -> bool:
    """Tell whether an author's `call` takes the mask of its inputs."""
    return "mask" in _signature(type(author).call).names


def takes_training(author: Any) -> bool:
    """Tell whether an author's `call` takes `training`."""
    return "training" in _signature(type(author).call).names


def default_mode(author: Any) -> bool | None:
    """Return the default of `training` in an author's `call`: the mode of a call that names none.

    None, also if there is no such argument, leaves the mode to each sublayer.
    """
    parameter = inspect.signature(type(author).call).parameters.get("training")
    if parameter is None or parameter.default is None:
        return None
    return False if parameter.default is parameter.empty else bool(parameter.default)


def build_arguments(
    author: Any, arguments: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Any, ...]:
    """Return the shapes for an author's `build`, with None for the batch axis, as in Keras.

    A `build` of one parameter gets the shape of the first input: a list or dict of shapes where
    that is several arrays. With several parameters, `a_shape` is the shape of `call`'s argument
    `a`.

    Raises:
        TypeError: `build` has a parameter that is none of these.
    """
    parameters = _signature(type(author).build).names
    if len(parameters) <= 1:
        return tuple(_shape_of(value) for value in arguments[: len(parameters)])
    names = _signature(type(author).call).names
    values = {**dict(zip(names, arguments, strict=False)), **options}
    shapes = {f"{name}_shape": _shape_of(value) for name, value in values.items()}
    for parameter in parameters:
        if parameter not in shapes:
            label = type(author).__name__
            known = ", ".join(f"{name}_shape" for name in names if name not in GIVEN_BY_PASS)
            raise TypeError(
                f"`{label}.build` asks for `{parameter}`. Each of several parameters is the name "
                f"of an argument of `{label}.call`, followed by `_shape`: {known}."
                f"{suggestion(parameter, shapes)} A `build` that takes anything else is called by "
                "you: `layer.build(shape, …)`, in the `build` of the layer that contains it, or "
                "before its first use."
            )
    return tuple(shapes[parameter] for parameter in parameters)


def takes_more_than_shapes(author: Any) -> bool:
    """Tell whether an author's `build` takes more than shapes, so that its author must call it."""
    are_shapes = shape_parameters(author)
    return len(are_shapes) > 1 and not all(are_shapes)


def shape_parameters(author: Any) -> list[bool]:
    """Tell for each parameter of an author's `build` whether it is named after one of `call`."""
    shapes = {f"{name}_shape" for name in _signature(type(author).call).names}
    return [name in shapes for name in _signature(type(author).build).names]


class _Signature(NamedTuple):
    """The parameters of a method, without `self`.

    Attributes:
        names: The names of those that have one.
        required: The names of those that whoever calls the layer must give.
        any_position: Whether there is `*args`.
        any_keyword: Whether there is `**kwargs`.
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    any_position: bool
    any_keyword: bool


def _signature(method: Callable[..., Any]) -> _Signature:
    parameters = list(inspect.signature(method).parameters.values())[1:]
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    required = (p.name for p in named if p.default is p.empty)
    return _Signature(
        names=tuple(p.name for p in named),
        required=tuple(name for name in required if name not in GIVEN_BY_PASS),
        any_position=any(p.kind is p.VAR_POSITIONAL for p in parameters),
        any_keyword=any(p.kind is p.VAR_KEYWORD for p in parameters),
    )


def _split_options(
    label: str, signature: _Signature, inputs: tuple[PyTree, ...]
) -> tuple[tuple[PyTree, ...], dict[str, Any]]:
    """Return the inputs by position and those by name, which travel as the last input."""
    if not inputs or not isinstance(inputs[-1], CallKwargs):
        return inputs, {}
    options = dict(inputs[-1])
    if not signature.any_keyword:
        check_keywords(label, options, [*signature.names, "training"])
    return inputs[:-1], options


def _fitted(
    label: str, signature: _Signature, inputs: tuple[PyTree, ...], options: dict[str, Any]
) -> tuple[PyTree, ...]:
    """Return the inputs by position as `call` takes them: several are one tuple if it takes one."""
    names = [name for name in signature.names if name not in (*GIVEN_BY_PASS, "mask")]
    if not signature.any_position and len(inputs) > len(names):
        if len(names) != 1:
            raise TypeError(
                f"`{label}` takes {len(names)} inputs ({', '.join(names)}), received {len(inputs)}."
            )
        inputs = (inputs,)
    required = signature.required
    missing = [name for name in required[len(inputs) :] if name not in options]
    if missing:
        raise TypeError(
            f"`{label}` takes the inputs {', '.join(required)}, received {len(inputs)}: "
            f"{', '.join(missing)} is missing."
        )
    return inputs


def _shape_of(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_shape_of(item) for item in value]
    if isinstance(value, dict):
        return {name: _shape_of(item) for name, item in value.items()}
    return (None, *value.shape[1:]) if getattr(value, "shape", ()) else None
