"""What the members of a population have in common, and the numbers in which they differ.

Members are described by configured objects: a network, a loss, an optimizer. Where such a field
holds a number that a program can take as an input (`Configured._varying`), members may differ there
and share a program; a width may differ where `fjax.population.widths` can mask it. Any other
difference makes another architecture.
"""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from fjax.configuration import Configured, is_as_defined, varying

# Where a field is: names of fields, keys and positions from the outside inwards.
Path = tuple[str | int, ...]

# Numbers by which a program may be another one: nothing dropped, all dropped, no momentum.
SPECIAL = (0, 1)


class Field(NamedTuple):
    """A number in a description.

    Attributes:
        path: Where it is.
        owner: The object whose field it is.
        value: The number.
    """

    path: Path
    owner: Configured
    value: Any


def numbers_in(thing: Any, path: Path = ()) -> Iterator[Field]:
    """Return the fields of a description whose numbers members may differ in.

    >>> from fjax import serial
    >>> from fjax.layers import Dense, Dropout
    >>> [(field.path, field.value) for field in numbers_in(serial(Dense(2), Dropout(0.25)))]
    [(('layers', 1, 'rate'), 0.25)]
    """
    for owner, name, value, at in _fields(thing, path):
        if name in varying(type(owner)) and _is_number(value) and value not in SPECIAL:
            yield Field(at, owner, value)


def widths_in(thing: Any, path: Path = ()) -> Iterator[Field]:
    """Return the widths of the fully connected layers of a description."""
    for owner, name, value, at in _fields(thing, path):
        if name == owner._width_field and is_as_defined(type(owner)):
            yield Field(at, owner, value)


def replaced(thing: Any, changes: Mapping[Path, Callable[[Any], Any]], path: Path = ()) -> Any:
    """Return a copy of a description in which what stands at these paths is changed.

    Nothing is checked anew: a number may become a traced one.

    >>> from fjax.layers import Dropout
    >>> replaced(Dropout(0.5), {("rate",): lambda rate: rate / 2})
    Dropout(rate=0.25)
    """
    inside = [key for key in changes if len(key) > len(path) and key[: len(path)] == path]
    if inside:
        parts = {key[len(path)] for key in inside}
        thing = _with_parts(thing, parts, lambda part, key: replaced(part, changes, (*path, key)))
    return changes[path](thing) if path in changes else thing


def _with_parts(thing: Any, keys: set[Any], change: Callable[[Any, Any], Any]) -> Any:
    if isinstance(thing, Configured):
        twin = copy.copy(thing)
        for name in keys:
            object.__setattr__(twin, name, change(getattr(thing, name), name))
        return twin
    if isinstance(thing, Mapping):
        return {key: change(part, key) if key in keys else part for key, part in thing.items()}
    parts = [change(part, place) if place in keys else part for place, part in enumerate(thing)]
    return type(thing)(parts)


def _fields(thing: Any, path: Path) -> Iterator[tuple[Configured, str, Any, Path]]:
    if isinstance(thing, Configured):
        if thing._authored:
            return
        for item in dataclasses.fields(thing):  # type: ignore[arg-type]
            value = getattr(thing, item.name)
            yield thing, item.name, value, (*path, item.name)
            yield from _fields(value, (*path, item.name))
    elif isinstance(thing, Mapping):
        for key, part in thing.items():
            yield from _fields(part, (*path, key))
    elif isinstance(thing, list | tuple):
        for place, part in enumerate(thing):
            yield from _fields(part, (*path, place))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
