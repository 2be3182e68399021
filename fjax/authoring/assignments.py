"""What an author's code has left on the copy of an object at the end of a pass."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.authoring.attributes import Path, author_attributes
from fjax.authoring.bound_layer import BoundLayer
from fjax.core.weight_slot import WeightName, find_slot
from fjax.typing import Array


def note_attributes(owner: Any, twin: Any, weights: Mapping[str, Sequence[Path]]) -> None:
    """Note what the author's code has set on the copy, if the object has a weight slot.

    Only the facade reads these attributes; a later pass begins without them.

    Args:
        owner: The author's object.
        twin: Its copy.
        weights: The paths of the attributes that hold a weight, by the name of the weight.
    """
    slot = find_slot(owner)
    if slot is None:
        return
    attributes = author_attributes(twin)
    for name, paths in weights.items():
        attributes |= {path[0]: WeightName(name) for path in paths if len(path) == 1}
    slot.attributes = {
        attribute: value
        for attribute, value in attributes.items()
        if attribute not in vars(owner) and _may_leave(value)
    }


def assigned_value(
    label: str, name: str, part: str, before: Array, values: Sequence[Any]
) -> Array | None:
    """Return the value that `call` has set the attributes of a weight to, or None.

    Args:
        label: The class of the object, for errors.
        name: The name of the weight.
        part: "params" or "state".
        before: The array of the weight in the pass.
        values: What its attributes hold at the end of the pass.

    Raises:
        TypeError: The value is not an array.
        ValueError: The weight is trainable, its attributes differ, or the shape or dtype does.
    """
    assigned = {id(value): value for value in values}
    assigned.pop(id(before), None)
    if not assigned:
        return None
    if len(assigned) > 1:
        raise ValueError(
            f"`{label}`: the weight {name!r} is in several attributes, and `call` set them to "
            "different values. Keep it in one."
        )
    (after,) = assigned.values()
    if part == "params":
        raise ValueError(
            f"`{label}`: `call` set the trainable weight {name!r}, which only the optimizer "
            "changes. Make it with `add_weight(trainable=False)` to set it in `call`, or change it "
            f"for the rest of the pass by `self.{name}.assign(…)`."
        )
    return _checked_value(label, name, before, after)


def _checked_value(label: str, name: str, before: Array, after: Any) -> Array:
    if not isinstance(after, jax.Array | np.ndarray) and not np.isscalar(after):
        raise TypeError(
            f"`{label}`: `call` set the weight {name!r} to {after!r} of type "
            f"`{type(after).__name__}`. It must stay an array."
        )
    after = jnp.asarray(after, before.dtype) if np.isscalar(after) else jnp.asarray(after)
    if (after.shape, after.dtype) != (before.shape, before.dtype):
        raise ValueError(
            f"`{label}`: `call` set the weight {name!r} to {after.shape} {after.dtype}, "
            f"which must stay {before.shape} {before.dtype}."
        )
    return after


def _may_leave(value: Any) -> bool:
    """Tell whether a value that `build` or `call` has set may be seen after the pass."""
    return not any(isinstance(x, jax.core.Tracer | BoundLayer) for x in jax.tree.leaves(value))
