"""Architectures: which members of a population can share a program, and what they pass to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from fjax.configuration import cache_key, detached
from fjax.population.hyperparameters import Path, find_hyperparameters, find_widths, replace_at
from fjax.population.widths import find_masks, mask_outputs
from fjax.training.traced_rate import without_rate
from fjax.typing import Array, GradientTransformation

# The parts of one member: its network, loss and optimizer.
Parts = tuple[Any, Callable[..., Array], GradientTransformation]
NETWORK, OPTIMIZER = 0, 2


class Hyperparameters(NamedTuple):
    """Per-member hyperparameters and widths.

    Attributes:
        values: The numbers in which members of one architecture differ.
        widths: The widths in which they differ.
    """

    values: tuple[Any, ...]
    widths: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class SharedArchitecture:
    """What a program is compiled for: the parts that members share, and where members differ.

    Attributes:
        parts: Network, loss and optimizer, with the largest widths.
        varied: The paths of the numbers in which members differ.
        masks: The paths of the layers whose outputs are masked, each with the index of its width
            among `Hyperparameters.widths`.
        key: Plain data that equal architectures share; None where user code is among the parts, so
            that this architecture equals itself only.
        programs: The programs of an architecture without a key.
    """

    parts: Parts
    varied: tuple[Path, ...]
    masks: tuple[tuple[Path, int], ...]
    key: Any
    programs: dict[Any, Any] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SharedArchitecture) or self.key is None:
            return self is other
        return self.key == other.key

    def __hash__(self) -> int:
        return id(self) if self.key is None else hash(self.key)

    def parts_for(self, hyperparameters: Hyperparameters) -> Parts:
        """Return the parts of the member with these hyperparameters, which may be traced."""
        values, widths = hyperparameters
        changes: dict[Path, Any] = {
            path: _constant(value) for path, value in zip(self.varied, values, strict=True)
        }
        for path, index in self.masks:
            changes[path] = partial(mask_outputs, width=widths[index])
        return replace_at(self.parts, changes)


class Group(NamedTuple):
    """Members of one architecture.

    Attributes:
        architecture: The architecture.
        indices: The indices of the members among all.
        hyperparameters: The hyperparameters of each member.
    """

    architecture: SharedArchitecture
    indices: list[int]
    hyperparameters: list[Hyperparameters]

    def subset(self, positions: Sequence[int]) -> "Group":
        """Return the members at these positions of the group."""
        return self._replace(
            indices=[self.indices[position] for position in positions],
            hyperparameters=[self.hyperparameters[position] for position in positions],
        )


class _Description(NamedTuple):
    """A member, described.

    Attributes:
        position: Its position among all members.
        parts: Its parts, without the learning rate.
        numbers: The numbers that a program can take as inputs, by their paths.
        widths: The widths of its fully connected layers, by their paths.
    """

    position: int
    parts: Parts
    numbers: dict[Path, Any]
    widths: dict[Path, int]

    def skeleton(self) -> Parts:
        """Return the parts with one value in the place of all numbers and all widths."""
        blank = dict.fromkeys(self.numbers, _constant(0.5))
        return replace_at(self.parts, blank | dict.fromkeys(self.widths, _constant(1)))


def group_by_architecture(members: Sequence[Parts]) -> list[Group]:
    """Return the members in groups that share a program.

    >>> from fjax import serial
    >>> from fjax.layers import Dense, Dropout
    >>> from fjax.losses import MeanSquaredError
    >>> from fjax.optimizers import SGD
    >>> def parts(units, rate, layers=1):
    ...     hidden = [Dense(units), Dropout(rate)] * layers
    ...     return serial(*hidden, Dense(1)), MeanSquaredError(), SGD(0.1)
    >>> members = [parts(3, 0.2), parts(5, 0.4), parts(3, 0.2, layers=2)]
    >>> for group in group_by_architecture(members):
    ...     print(group.indices, [tuple(own) for own in group.hyperparameters])
    [0, 1] [((0.2,), (3,)), ((0.4,), (5,))]
    [2] [((), ())]
    """
    similar: dict[Any, list[_Description]] = {}
    for position, (network, loss, optimizer) in enumerate(members):
        parts = network, loss, without_rate(optimizer)
        numbers = {field.path: field.value for field in find_hyperparameters(parts)}
        widths = {field.path: field.value for field in find_widths(parts)}
        description = _Description(position, parts, numbers, widths)
        similar.setdefault(description.skeleton(), []).append(description)
    return [group for descriptions in similar.values() for group in _groups(descriptions)]


def _groups(members: Sequence[_Description]) -> list[Group]:
    """Return the groups of members that differ in numbers and widths only."""
    width_paths = _differing([member.widths for member in members])
    network, loss, optimizer = members[0].parts
    # A width belongs to a layer of the network: without the network's index and the field's name.
    layer_paths = {path[1:-1]: index for index, path in enumerate(width_paths)}
    masked = find_masks(network, optimizer, list(layer_paths))
    if width_paths and masked is None:
        by_widths: dict[Any, list[_Description]] = {}
        for member in members:
            by_widths.setdefault(tuple(member.widths.values()), []).append(member)
        return [group for alike in by_widths.values() for group in _groups(alike)]
    varied = _differing([member.numbers for member in members])
    widest = {
        path: _constant(max(member.widths[path] for member in members)) for path in width_paths
    }
    # The numbers are left out, so that populations with other numbers find the same programs.
    blank = dict.fromkeys(varied, _constant(0.5))
    parts: Parts = replace_at((network, loss, optimizer), widest | blank)
    masks = tuple(((NETWORK, *path), layer_paths[dense]) for path, dense in (masked or {}).items())
    key = cache_key((parts, varied, masks))
    if key is not None:
        # A copy: cached programs must not keep alive what a model stores with its layers.
        parts = detached(parts)
    hyperparameters = [
        Hyperparameters(
            tuple(member.numbers[path] for path in varied),
            tuple(member.widths[path] for path in width_paths),
        )
        for member in members
    ]
    architecture = SharedArchitecture(parts, tuple(varied), masks, key)
    return [Group(architecture, [member.position for member in members], hyperparameters)]


def _differing(fields: Sequence[Mapping[Path, Any]]) -> list[Path]:
    """Return the paths at which not all members have the same value."""
    return [path for path in fields[0] if len({values[path] for values in fields}) > 1]


def _constant(value: Any) -> Callable[[Any], Any]:
    """Return a function that returns this value whatever it is given."""
    return lambda _: value
