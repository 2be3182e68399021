"""What attention layers are called with: query, value and key, their masks, and options."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from fjax.core.calling import CallKwargs
from fjax.core.masking import check_mask, split_mask

NAMES = ("query", "value", "key")
MASKS = tuple(f"{name}_mask" for name in NAMES)
OPTIONS = ("attention_mask", "return_attention_scores", "use_causal_mask")


class Inputs(NamedTuple):
    """The arrays, their masks (None where there is none), and the options of one call."""

    query: Any
    value: Any
    key: Any
    query_mask: Any
    value_mask: Any
    key_mask: Any
    attention_mask: Any
    return_attention_scores: bool
    use_causal_mask: bool

    @property
    def has_padding(self) -> bool:
        """Whether one of the arrays has a mask."""
        return any(mask is not None for mask in (self.query_mask, self.value_mask, self.key_mask))


def attention_inputs(owner: str, inputs: tuple[Any, ...]) -> Inputs:
    """Return what a call was given, by position and by name, or raise.

    Without a key the values are the keys. A mask that is given by name stands for the array's own.

    Raises:
        TypeError: Query or value is missing, or something was given twice.
        ValueError: The shapes do not fit one another.
    """
    arrays, own, options = _arrays(owner, inputs)
    masks = {}
    for name, values in arrays.items():
        mask = options.pop(f"{name}_mask", own[name])
        axes = len(values.shape) - 1
        masks[f"{name}_mask"] = check_mask(f"{owner}: {name}", values, mask, axes)
    attention_mask = options.get("attention_mask")
    return Inputs(
        **arrays,
        **masks,
        attention_mask=None if attention_mask is None else jnp.asarray(attention_mask, bool),
        return_attention_scores=_flag(owner, "return_attention_scores", options),
        use_causal_mask=_flag(owner, "use_causal_mask", options),
    )


def attention_features(owner: str, specs: tuple[Any, ...]) -> dict[str, int]:
    """Return how many features query, value and key have, or raise as `attention_inputs`."""
    arrays, _, _ = _arrays(owner, specs)
    return {name: spec.shape[-1] for name, spec in arrays.items()}


def _arrays(
    owner: str, inputs: tuple[Any, ...]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return query, value and key, the masks that they carry, and what else was given by name."""
    options: dict[str, Any] = {}
    if inputs and isinstance(inputs[-1], CallKwargs):
        *positional, last = inputs
        inputs, options = tuple(positional), dict(last)
    if len(inputs) > len(NAMES):
        raise TypeError(
            f"`{owner}` takes query, value and key, received {len(inputs)} inputs. Give masks and "
            "options by name."
        )
    given = dict(zip(NAMES, inputs, strict=False))
    for name in NAMES:
        if name in options:
            if name in given:
                raise TypeError(f"`{owner}` was given `{name}` by position and by name.")
            given[name] = options.pop(name)
    missing = [name for name in NAMES[:2] if name not in given]
    if missing:
        raise TypeError(
            f"`{owner}` takes a query and a value, and may take a key: {' and '.join(missing)} is "
            "missing. For attention of a sequence to itself, give it twice."
        )
    pairs = {name: split_mask(value) for name, value in given.items()}
    # Without a key the values are the keys; their mask is counted once.
    pairs.setdefault("key", (pairs["value"][0], None))
    arrays = {name: values for name, (values, _) in pairs.items()}
    for name, values in arrays.items():
        if len(values.shape) < 3:
            raise ValueError(
                f"`{owner}` needs a {name} of shape (batch, time, features), received "
                f"{tuple(values.shape)}."
            )
    _check_shapes(owner, arrays)
    return arrays, {name: mask for name, (_, mask) in pairs.items()}, options


def _flag(owner: str, name: str, options: dict[str, Any]) -> bool:
    value = options.get(name, False)
    if not isinstance(value, bool):
        raise TypeError(f"`{owner}`: `{name}` must be True or False, received {value!r}.")
    return value


def _check_shapes(owner: str, arrays: dict[str, Any]) -> None:
    query, value, key = (tuple(arrays[name].shape) for name in NAMES)
    if value[:-1] != key[:-1]:
        raise ValueError(
            f"`{owner}`: value and key must be equal in all axes but the last, received {value} "
            f"and {key}."
        )
    if len(query) != len(value) or query[0] != value[0]:
        raise ValueError(
            f"`{owner}`: query and value must have as many axes and the same batch size, received "
            f"{query} and {value}."
        )
