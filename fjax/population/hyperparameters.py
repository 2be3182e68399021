"""The hyperparameters in which members may differ and still share a program.

A member is described by configured objects: a network, a loss and an optimizer. A field that holds
a number which a program can take as an input (`Configured.traceable_fields`) may differ between
members that share a program. The width of a hidden layer may differ where `fjax.population.widths`
can mask it. Any other difference makes another architecture.
"""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from fjax.configuration import Configured, fields_to_trace, is_as_defined, stored
from fjax.errors import is_number

# The path of a field: names of fields, keys and positions from the outside inwards.
Path = tuple[str | int, ...]

# Values for which a layer or an optimizer may compile a different program: no dropout, all dropped,
# no momentum.
SPECIAL_VALUES = (0, 1)


class Field(NamedTuple):
    """A number in a description.

    Attributes:
        path: The path of the field.
        owner: The object that has the field.
        value: The number.
    """

    path: Path
    owner: Configured
    value: Any


def find_hyperparameters(description: Any, path: Path = ()) -> Iterator[Field]:
    """Return the fields whose numbers a program can take as inputs.

    >>> from fjax import serial
    >>> from fjax.layers import Dense, Dropout
    >>> network = serial(Dense(2), Dropout(0.25))
    >>> [(field.path, field.value) for field in find_hyperparameters(network)]
    [(('layers', 1, 'rate'), 0.25)]
    """
    for field in _fields(description, path):
        is_input = field.path[-1] in fields_to_trace(type(field.owner)) and is_number(field.value)
        if is_input and field.value not in SPECIAL_VALUES:
            yield field


def find_widths(description: Any, path: Path = ()) -> Iterator[Field]:
    """Return the widths of the fully connected layers of a description."""
    for field in _fields(description, path):
        if field.path[-1] == field.owner.width_field and is_as_defined(type(field.owner)):
            yield field


def replace_at(
    description: Any, changes: Mapping[Path, Callable[[Any], Any]], path: Path = ()
) -> Any:
    """Return a copy of a description with the values at some paths changed.

    The new values are not validated, so that a number may become a traced one.

    Args:
        description: The description.
        changes: For each path a function from the old value to the new one.
        path: The path of the description itself.

    >>> from fjax.layers import Dropout
    >>> replace_at(Dropout(0.5), {("rate",): lambda rate: rate / 2})
    Dropout(rate=0.25)
    """
    inner = [key for key in changes if len(key) > len(path) and key[: len(path)] == path]
    if inner:
        description = _with_parts(
            description,
            {key[len(path)] for key in inner},
            lambda part, key: replace_at(part, changes, (*path, key)),
        )
    return changes[path](description) if path in changes else description


def _with_parts(whole: Any, keys: set[Any], change: Callable[[Any, Any], Any]) -> Any:
    if isinstance(whole, Configured):
        twin = copy.copy(whole)
        for name in keys:
            object.__setattr__(twin, name, change(stored(whole, name), name))
        return twin
    if isinstance(whole, Mapping):
        return {key: change(part, key) if key in keys else part for key, part in whole.items()}
    parts = [change(part, index) if index in keys else part for index, part in enumerate(whole)]
    return type(whole)(parts)


def _fields(description: Any, path: Path) -> Iterator[Field]:
    if isinstance(description, Configured):
        if description.has_own_init:
            return
        for item in dataclasses.fields(description):  # type: ignore[arg-type]
            field = Field((*path, item.name), description, stored(description, item.name))
            yield field
            yield from _fields(field.value, field.path)
    elif isinstance(description, Mapping):
        for key, part in description.items():
            yield from _fields(part, (*path, key))
    elif isinstance(description, list | tuple):
        for index, part in enumerate(description):
            yield from _fields(part, (*path, index))
