"""What `adapt` learns from data: fields of a layer that is already made."""

from typing import Any

from fjax.core.weight_slot import renew_slot


def set_learned(layer: Any, **values: Any) -> None:
    """Set fields of a layer to what `adapt` has learned.

    Models that already contain the layer keep what they have; new models use these values.
    """
    for name, value in values.items():
        object.__setattr__(layer, name, value)
    renew_slot(layer)


def not_ready(layer: Any, missing: str, advice: str) -> ValueError:
    """Return the error for a layer that is used before `adapt`."""
    name = f" {layer.name!r}" if layer.name else ""
    return ValueError(f"`{layer.kind}`{name} has no {missing} yet: {advice}")
