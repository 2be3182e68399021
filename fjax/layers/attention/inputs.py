"""The arguments of a call of an attention layer: query, value and key, their masks, and options."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from fjax.core.calling import CallKwargs
from fjax.core.masking import check_mask, split_mask

NAMES = ("query", "value", "key")
MASKS = tuple(f"{name}_mask" for name in NAMES)
OPTIONS = ("attention_mask", "return_attention_scores", "use_causal_mask")


class AttentionInputs(NamedTuple):
    """The arrays, masks and options of one call; a mask that is not given is None."""

    query: Any
    value: Any
    key: Any
    query_mask: Any
    value_mask: Any
    key_mask: Any
    attention_mask: Any
    return_attention_scores: bool
    use_causal_mask: bool


def parse_inputs(owner: str, inputs: tuple[Any, ...]) -> AttentionInputs:
    """Return the arguments of a call, which may be given by position or by name.

    The key defaults to the value. A mask given by name replaces the one that the array carries.

    Raises:
        TypeError: Query or value is missing, an argument is given twice, or an option is not a
            bool.
        ValueError: Shapes do not match.
    """
    arrays, carried_masks, options = _split_arguments(owner, inputs)
    masks = {}
    for name, values in arrays.items():
        mask = options.pop(f"{name}_mask", carried_masks[name])
        axes = len(values.shape) - 1
        masks[f"{name}_mask"] = check_mask(f"{owner}: {name}", values, mask, axes)
    attention_mask = options.get("attention_mask")
    return AttentionInputs(
        **arrays,
        **masks,
        attention_mask=None if attention_mask is None else jnp.asarray(attention_mask, bool),
        return_attention_scores=_flag(owner, "return_attention_scores", options),
        use_causal_mask=_flag(owner, "use_causal_mask", options),
    )


def input_features(owner: str, specs: tuple[Any, ...]) -> dict[str, int]:
    """Return the number of features of query, value and key; the errors are `parse_inputs`'s."""
    arrays, _, _ = _split_arguments(owner, specs)
    return {name: spec.shape[-1] for name, spec in arrays.items()}


def _split_arguments(
    owner: str, inputs: tuple[Any, ...]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return query, value and key by name, the masks that they carry, and the other arguments."""
    options: dict[str, Any] = {}
    if inputs and isinstance(inputs[-1], CallKwargs):
        *positional, last = inputs
        inputs, options = tuple(positional), dict(last)
    if len(inputs) > len(NAMES):
        raise TypeError(
            f"`{owner}` takes query, value and key, received {len(inputs)} inputs. Give masks and "
            "options by name."
        )
    arguments = dict(zip(NAMES, inputs, strict=False))
    for name in NAMES:
        if name in options:
            if name in arguments:
                raise TypeError(f"`{owner}` received `{name}` both by position and by name.")
            arguments[name] = options.pop(name)
    missing = [name for name in NAMES[:2] if name not in arguments]
    if missing:
        raise TypeError(
            f"`{owner}` takes a query, a value and optionally a key: {' and '.join(missing)} is "
            "missing. For self-attention, pass the same sequence twice."
        )
    pairs = {name: split_mask(value) for name, value in arguments.items()}
    # A value that serves as the key, too, has its mask applied once.
    pairs.setdefault("key", (pairs["value"][0], None))
    arrays = {name: values for name, (values, _) in pairs.items()}
    _check_shapes(owner, arrays)
    return arrays, {name: mask for name, (_, mask) in pairs.items()}, options


def _flag(owner: str, name: str, options: dict[str, Any]) -> bool:
    value = options.get(name, False)
    if not isinstance(value, bool):
        raise TypeError(f"`{owner}`: `{name}` must be True or False, received {value!r}.")
    return value


def _check_shapes(owner: str, arrays: dict[str, Any]) -> None:
    for name, values in arrays.items():
        if len(values.shape) < 3:
            raise ValueError(
                f"`{owner}` needs a {name} of shape (batch, time, features), received "
                f"{tuple(values.shape)}."
            )
    query, value, key = (tuple(arrays[name].shape) for name in NAMES)
    if value[:-1] != key[:-1]:
        raise ValueError(
            f"`{owner}`: value and key must have the same shape up to the last axis, received "
            f"{value} and {key}."
        )
    if len(query) != len(value) or query[0] != value[0]:
        raise ValueError(
            f"`{owner}`: query and value must have the same number of axes and the same batch "
            f"size, received {query} and {value}."
        )
