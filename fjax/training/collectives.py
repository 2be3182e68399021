"""The collective operations of a compiled program, read from its text."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

# The bytes that a device sends in the usual ring algorithms, as a multiple of the whole arrays,
# given the share of the other devices, (n - 1) / n.
_PASSES = {
    "all-reduce": 2,
    "all-gather": 1,
    "reduce-scatter": 1,
    "all-to-all": 1,
    "collective-broadcast": 1,
}
_PERMUTE = "collective-permute"

_COMPUTATION = re.compile(r"^(?P<entry>ENTRY )?%?(?P<name>[\w.-]+) .*\{$")
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = (?P<type>.*?) (?P<opcode>[a-z][a-z0-9-]*)\(")
_ARRAY = re.compile(r"\b([a-z][a-z0-9]*)\[([0-9,]*)\]")
_CALLED = re.compile(
    r"\b(?:body|condition|calls|to_apply|true_computation|false_computation|branch_computations"
    r"|called_computations)=(?:\{([^}]*)\}|(%?[\w.-]+))"
)
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"')


@dataclass(frozen=True)
class Collective:
    """The collective operations of one kind in a step, among groups of so many devices.

    Attributes:
        kind: The operation by XLA's name: "all-reduce", "all-gather", "reduce-scatter",
            "all-to-all", "collective-permute", "collective-broadcast".
        devices: The number of devices in a group.
        times: How often a device takes part in one.
        size: The bytes of the whole arrays, those of all devices of a group: of the sums, of what
            is gathered.

    >>> gathered = Collective("all-gather", 8, 24, 8_000_000)
    >>> gathered.sent
    7000000
    >>> print(gathered)
    24 all-gather of 8.0 MB among 8 devices, 7.0 MB sent by each
    """

    kind: str
    devices: int
    times: int
    size: int

    @property
    def sent(self) -> int:
        """The bytes that each device sends in the ring algorithm, which sends the fewest."""
        if self.kind == _PERMUTE:
            return self.size
        return self.size * _PASSES[self.kind] * (self.devices - 1) // self.devices

    def __str__(self) -> str:
        return (
            f"{self.times} {self.kind} of {readable_size(self.size)} among {self.devices} devices, "
            f"{readable_size(self.sent)} sent by each"
        )


def collectives(program: str) -> tuple[Collective, ...]:
    """Return the collective operations that a compiled program executes, by kind.

    An operation within a loop counts as often as the loop runs; once, where XLA does not know that.

    Args:
        program: The text of a compiled program, `jax.jit(f).lower(…).compile().as_text()`.

    Source: XLA, "Operation semantics", for the operations.

    >>> text = '''
    ... ENTRY %main (x: f32[4]) -> f32[8] {
    ...   %x = f32[4]{0} parameter(0)
    ...   ROOT %all-gather = f32[8]{0} all-gather(%x), replica_groups=[1,2]<=[2], dimensions={0}
    ... }
    ... '''
    >>> collectives(text)
    (Collective(kind='all-gather', devices=2, times=1, size=32),)
    """
    computations = dict(_computations(program))
    counts: Counter[tuple[str, int]] = Counter()
    sizes: Counter[tuple[str, int]] = Counter()

    def walk(name: str, times: int) -> None:
        for line in computations.get(name, ()):
            instruction = _INSTRUCTION.match(line)
            if instruction is None:
                continue
            kind = instruction["opcode"].removesuffix("-start")
            if kind in _PASSES or kind == _PERMUTE:
                devices = _group_size(line)
                counts[kind, devices] += times
                size = _whole_size(kind, instruction["type"], instruction["opcode"], devices)
                sizes[kind, devices] += times * size
            trips = _TRIPS.search(line)
            for called in _called(line):
                walk(called, times * (int(trips[1]) if trips else 1))

    walk(_ENTRY, 1)
    return tuple(
        Collective(kind, devices, counts[kind, devices], sizes[kind, devices])
        for kind, devices in sorted(counts)
    )


_ENTRY = "ENTRY"


def _computations(program: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the lines of each computation; the first one that runs is `_ENTRY`."""
    lines: list[str] = []
    for line in program.splitlines():
        header = _COMPUTATION.match(line)
        if header is not None and not line.startswith("HloModule"):
            lines = []
            yield (_ENTRY if header["entry"] else header["name"]), lines
        else:
            lines.append(line)


def _called(line: str) -> list[str]:
    return [
        name.removeprefix("%")
        for several, one in _CALLED.findall(line)
        for name in (several or one).split(", ")
    ]


def _group_size(line: str) -> int:
    """Return the number of devices in a group, of the forms in which XLA writes groups."""
    listed = re.search(r"replica_groups=\{\{([0-9,]*)\}", line)
    if listed:
        return len(listed[1].split(","))
    by_shape = re.search(r"replica_groups=\[\d+,(\d+)\]", line)
    if by_shape:
        return int(by_shape[1])
    by_axes = re.search(r"replica_groups=\w*mesh\w*\[([^\]]*)\][^{]*\{([^}]*)\}", line)
    if by_axes:
        sizes = dict(pair.split("=") for pair in by_axes[1].split(","))
        return math.prod(int(sizes[axis.strip()]) for axis in by_axes[2].split(","))
    pairs = re.search(r"source_target_pairs=\{(.*?)\}\}", line)
    return pairs[1].count("{") if pairs else 1


def _whole_size(kind: str, result: str, opcode: str, devices: int) -> int:
    """Return the bytes of the whole arrays of a collective operation."""
    sizes = [_bytes(dtype, shape) for dtype, shape in _ARRAY.findall(result)]
    if opcode.endswith("-start") and kind == "all-gather":
        # Its result is the operands, and what is gathered.
        sizes = sizes[len(sizes) // 2 :]
    elif opcode.endswith("-start") and kind == _PERMUTE:
        sizes = sizes[1:2]
    return sum(sizes) * (devices if kind == "reduce-scatter" else 1)


def _bytes(dtype: str, shape: str) -> int:
    values = math.prod(int(size) for size in shape.split(",") if size)
    # XLA's names of dtypes have their bits, as in f32, bf16 or f8e4m3fn; "pred" has a byte.
    bits = re.match(r"[a-z]+(\d+)", dtype)
    return values * (int(bits[1]) if bits else 8) // 8


_UNITS = ("bytes", "KB", "MB", "GB", "TB")


def readable_size(count: float) -> str:
    """Return a number of bytes with a unit.

    >>> readable_size(999), readable_size(12_500_000)
    ('999 bytes', '12.5 MB')
    """
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.1f} {_UNITS[unit]}" if unit else f"{count} {_UNITS[unit]}"
