"""Questions about the fields of a configured class."""

import dataclasses
import functools
import re
from typing import Any, TypeGuard

_NOTHING = object()


@functools.lru_cache(1024)
def snake_case(name: str) -> str:
    """Return a class name in snake case.

    >>> snake_case("BatchNormalization"), snake_case("Conv2D"), snake_case("AUC")
    ('batch_normalization', 'conv2d', 'auc')
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def arguments(cls: type) -> list[dataclasses.Field[Any]]:
    """Return the fields that the constructor accepts, those accepted by position first."""
    accepted = [item for item in dataclasses.fields(cls) if item.init]
    return sorted(accepted, key=lambda item: bool(item.kw_only))


def is_implied(item: dataclasses.Field[Any], value: Any) -> bool:
    """Tell whether descriptions leave a field out, as its value is what they mean without it.

    A field declares this value in its metadata, as `field(metadata={"implied": …})`. A constructor
    may have another default, such as a global setting.
    """
    implied = item.metadata.get("implied", _NOTHING)
    return type(value) is type(implied) and bool(value == implied)


def described_arguments(configured: Any) -> list[dataclasses.Field[Any]]:
    """Return the fields that the constructor accepts, without those that are implied."""
    items = arguments(type(configured))
    return [item for item in items if not is_implied(item, stored(configured, item.name))]


def replace(configured: Any, **changes: Any) -> Any:
    """Return a new object with some fields changed.

    >>> from fjax.configuration import Configured
    >>> class Pair(Configured):
    ...     left: int = 1
    ...     right: int = 2
    >>> replace(Pair(5), right=3)
    Pair(left=5, right=3)
    """
    cls = type(configured)
    values = {item.name: stored(configured, item.name) for item in arguments(cls)}
    return cls(**{**values, **changes})


def is_required(item: dataclasses.Field[Any]) -> bool:
    """Tell whether a field has no default."""
    return item.default is dataclasses.MISSING


def fields_to_trace(cls: type) -> frozenset[str]:
    """Return the fields whose values may be inputs of a compiled program (`traceable_fields`).

    A class of fjax inherits them. A user's subclass does not, since it may use the fields in
    another way: only its own `traceable_fields` counts.
    """
    if not cls.__module__.startswith("fjax."):
        return frozenset(cls.__dict__.get("traceable_fields", ()))
    declared = (base.__dict__.get("traceable_fields", frozenset()) for base in cls.__mro__)
    return frozenset().union(*declared)


def is_nonzero(number: float | None) -> TypeGuard[float]:
    """Tell whether a field's number is neither None nor 0; a tracer counts as nonzero.

    A search compiles one program for all candidates whose number is nonzero, and another one for
    those with 0. The first takes the number as an input, so that it may be a tracer.

    >>> is_nonzero(None), is_nonzero(0.0), is_nonzero(0.5)
    (False, False, True)
    """
    return number is not None and not (isinstance(number, int | float) and number == 0)


def stored(configured: Any, name: str) -> Any:
    """Return the value of a field as the constructor stored it.

    A class may show a field to users in another form, such as the learning rate of an optimizer.

    >>> from fjax.optimizers import SGD
    >>> type(stored(SGD(0.5), "learning_rate")).__name__
    'float'
    """
    values = vars(configured)
    return values[name] if name in values else getattr(configured, name)


def fields_ending(configured: Any, suffix: str) -> dict[str, Any]:
    """Return the values of the fields with this suffix that are not None.

    Args:
        configured: An object of a configured class.
        suffix: How the names of the fields end, such as "_regularizer".

    Returns:
        The values, keyed by the field's name without the suffix.

    >>> from fjax.configuration import Configured
    >>> class Pair(Configured):
    ...     left_size: int = 1
    ...     right_size: int | None = None
    >>> fields_ending(Pair(), "_size")
    {'left': 1}
    """
    values = {item.name: stored(configured, item.name) for item in dataclasses.fields(configured)}
    return {
        name.removesuffix(suffix): value
        for name, value in values.items()
        if name.endswith(suffix) and value is not None
    }
