"""Architectures: which members of a population can share a program, and what they give it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from fjax.configuration import cache_key, detached
from fjax.population.variation import Path, numbers_in, replaced, widths_in
from fjax.population.widths import masked_layers, narrowed
from fjax.training.population import Parts, PopulationPrograms
from fjax.training.rates import without_rate
from fjax.typing import PyTree

NETWORK, OPTIMIZER = 0, 2

# What a member tells of itself: its numbers, and its widths.
Numbers = tuple[tuple[float, ...], tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Architecture:
    """What a program is compiled for: the parts that members share, and where they differ.

    Called with a member's numbers, which may be traced, it returns the member's parts.

    Attributes:
        parts: Network, loss and optimizer, the widths being the largest.
        varied: Where the numbers stand in which members differ.
        masks: The layers whose outputs are cut, each with the place of its width among the widths.
        key: Plain data that equal architectures share; None where a user's code is in the parts,
            so that this one is equal to itself alone.
        own: The programs of an architecture without a key.
    """

    parts: Parts
    varied: tuple[Path, ...]
    masks: tuple[tuple[Path, int], ...]
    key: Any
    own: dict[Any, PopulationPrograms] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Architecture) or self.key is None:
            return self is other
        return self.key == other.key

    def __hash__(self) -> int:
        return id(self) if self.key is None else hash(self.key)

    def __call__(self, numbers: PyTree) -> Parts:
        """Return the parts of the member with these numbers."""
        values, widths = numbers
        changes: dict[Path, Any] = {
            path: partial(_instead, value) for path, value in zip(self.varied, values, strict=True)
        }
        for path, place in self.masks:
            changes[path] = partial(narrowed, width=widths[place])
        return replaced(self.parts, changes)


class Group(NamedTuple):
    """Members of one architecture.

    Attributes:
        architecture: The architecture.
        indices: The members' places among all.
        numbers: For each what the architecture is called with: numbers and widths.
    """

    architecture: Architecture
    indices: list[int]
    numbers: list[Numbers]


def architectures(members: Sequence[Parts]) -> list[Group]:
    """Return the members in groups that share a program.

    >>> from fjax import serial
    >>> from fjax.layers import Dense, Dropout
    >>> from fjax.losses import MeanSquaredError
    >>> from fjax.optimizers import SGD
    >>> def parts(units, rate, layers=1):
    ...     hidden = [Dense(units), Dropout(rate)] * layers
    ...     return serial(*hidden, Dense(1)), MeanSquaredError(), SGD(0.1)
    >>> members = [parts(3, 0.2), parts(5, 0.4), parts(3, 0.2, layers=2)]
    >>> for group in architectures(members):
    ...     print(group.indices, group.numbers)
    [0, 1] [((0.2,), (3,)), ((0.4,), (5,))]
    [2] [((), ())]
    """
    groups: dict[Any, list[int]] = {}
    described = [_described(member) for member in members]
    for index, (skeleton, _, _) in enumerate(described):
        groups.setdefault(skeleton, []).append(index)
    found = []
    for indices in groups.values():
        numbers = [described[index][1] for index in indices]
        widths = [described[index][2] for index in indices]
        found += _grouped([members[index] for index in indices], indices, numbers, widths)
    return found


def _described(member: Parts) -> tuple[Any, dict[Path, Any], dict[Path, int]]:
    """Return what is left where numbers and widths are taken out, and these by their paths."""
    member = _plain(member)
    numbers = {field.path: field.value for field in numbers_in(member)}
    widths = {field.path: field.value for field in widths_in(member)}
    blank = {path: partial(_instead, 0.5) for path in numbers}
    blank |= {path: partial(_instead, 1) for path in widths}
    return replaced(member, blank), numbers, widths


def _plain(member: Parts) -> Parts:
    network, loss, optimizer = member
    return network, loss, without_rate(optimizer)


def _grouped(
    members: Sequence[Parts],
    indices: list[int],
    numbers: list[dict[Path, Any]],
    widths: list[dict[Path, int]],
) -> list[Group]:
    """Return the groups of members that are alike but for numbers and widths."""
    units = _differing(widths)
    first = members[0]
    plan = masked_layers(first[NETWORK], first[OPTIMIZER], [path[1:-1] for path in units])
    if units and plan is None:
        apart: dict[Any, list[int]] = {}
        for place, own in enumerate(widths):
            apart.setdefault(tuple(own.values()), []).append(place)
        return [
            group
            for places in apart.values()
            for group in _grouped(
                [members[place] for place in places],
                [indices[place] for place in places],
                [numbers[place] for place in places],
                [widths[place] for place in places],
            )
        ]
    varied = _differing(numbers)
    order = {path[1:-1]: place for place, path in enumerate(units)}
    widest = {path: partial(_instead, max(own[path] for own in widths)) for path in units}
    # Members of other numbers, also of another population, find the same programs.
    blank = {path: partial(_instead, 0.5) for path in varied}
    parts = replaced(_plain(first), widest | blank)
    masks = tuple(((NETWORK, *path), order[dense]) for path, dense in (plan or {}).items())
    key = cache_key((parts, varied, masks))
    # A copy: programs that are kept must not keep alive what a model keeps with its layers.
    shared: Parts = parts if key is None else detached(parts)
    architecture = Architecture(shared, tuple(varied), masks, key)
    given = [
        (tuple(own[path] for path in varied), tuple(sizes[path] for path in units))
        for own, sizes in zip(numbers, widths, strict=True)
    ]
    return [Group(architecture, indices, given)]


def _differing(fields: Sequence[Mapping[Path, Any]]) -> list[Path]:
    return [path for path in fields[0] if len({own[path] for own in fields}) > 1]


def _instead(value: Any, _: Any) -> Any:
    return value
