"""The distribution that new models use, and that `compile` uses by default."""

from typing import Any

from fjax.training.placement import DEFAULT, Placement

# One entry: a placement, one of Keras's distributions, or None.
_CURRENT: list[Any] = [None]


def set_distribution(value: Any) -> None:
    """Set the distribution of models that are created or compiled from now on.

    Args:
        value: A `DataParallel` or `ModelParallel`, a placement such as `data_parallel()`, or None
            for one device.

    Source: Keras's page "set_distribution".

    >>> from fjax.distribution import data_parallel
    >>> set_distribution(data_parallel())
    >>> distribution().batch_axes
    'data'
    >>> set_distribution(None)
    """
    as_placement("set_distribution", value)
    _CURRENT[0] = value


def distribution() -> Any:
    """Return what `set_distribution` has set, or None."""
    return _CURRENT[0]


def current_placement() -> Placement:
    """Return the placement of models that are created or compiled now."""
    return as_placement("set_distribution", _CURRENT[0])


def as_placement(owner: str, value: Any) -> Placement:
    """Return the placement of a user's value; None is the default device.

    Args:
        owner: The function that errors name.
        value: A placement, one of Keras's distributions, or None.

    Raises:
        TypeError: The value is something else.
    """
    if value is None:
        return DEFAULT
    placement = getattr(value, "placement", value)
    if not isinstance(placement, Placement):
        raise TypeError(
            f"`{owner}` takes a placement, such as `fjax.distribution.data_parallel()`, a "
            f"`DataParallel`, a `ModelParallel` or None, received {value!r}."
        )
    return placement
