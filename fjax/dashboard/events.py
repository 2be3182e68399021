"""The numbers in TensorBoard's event files, read without its package.

A file is a sequence of records: the length of the data, the checksum of the length, the data, and
its checksum. The data is a protocol buffer of the type `Event`.

Source: TensorFlow's `record_writer.h`, `event.proto`, `summary.proto` and `tensor.proto`.
"""

import functools
import re
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from fjax.dashboard.run import Run, Series

EVENT_FILE = re.compile(r"\.tfevents\.|^tfevents\.")

# The parts of a run in which `TensorBoard` writes training and validation logs.
PARTS = {"train": "", "validation": "val_"}

# A record of a number is shorter; the others are graphs, histograms and pictures.
MAX_SCALAR = 4096
MAX_RECORD = 2**30


def read_events(file: BinaryIO, run: Run) -> None:
    """Add the numbers of an event file to a run; a last record without its end is being written.

    Raises:
        ValueError: It is no event file, or damaged.
    """
    for record in _records(file, run):
        for step, tag, value in _scalars(record):
            name, axis = _name_of(tag)
            series = run.series.setdefault(name, Series([], [], axis))
            series.x.append(step + 1 if axis == "epoch" else step)
            series.y.append(value)


def join_parts(runs: list[Run]) -> list[Run]:
    """Return runs with the two parts of each TensorBoard run joined into one."""
    joined: dict[tuple[str, str], Run] = {}
    for run in runs:
        folder, _, part = run.name.rpartition("/")
        if run.kind != "TensorBoard" or part not in PARTS:
            joined[run.kind, run.name] = run
            continue
        name = folder or "."
        whole = joined.setdefault((run.kind, name), Run(name, run.kind, (), 0.0))
        whole.modified = max(whole.modified, run.modified)
        whole.problem = whole.problem or run.problem
        whole.series |= {PARTS[part] + log: series for log, series in run.series.items()}
    return sorted(joined.values(), key=lambda run: (run.name, run.kind))


def _name_of(tag: str) -> tuple[str, str]:
    """Return the name of a log and the axis of its values."""
    return (tag[6:], "epoch") if tag.startswith("epoch_") else (tag, "step")


def _records(file: BinaryIO, run: Run) -> Iterator[bytes]:
    """Yield the data of the records that may hold a number."""
    while header := file.read(12):
        if len(header) == 12:
            length, checksum = struct.unpack("<QI", header)
            if _masked_crc(header[:8]) != checksum or length > MAX_RECORD:
                raise ValueError("It is no event file of TensorBoard, or it is damaged.")
            if length > MAX_SCALAR:
                file.seek(length + 4, 1)
                continue
            data = file.read(length + 4)
            if len(data) == length + 4:
                yield data[:-4]
                continue
        run.problem = "The last record is half-written; it is left out."
        return


def _scalars(event: bytes) -> Iterator[tuple[int, str, float]]:
    """Yield the step, the tag and the value of each number of an event."""
    try:
        fields = _fields(event)
        step = next((value for number, value in fields if number == 2), 0)
        # Whole numbers are unsigned in the file.
        step = step - 2**64 if step >= 2**63 else step
        for number, summary in fields:
            if number == 5:
                for _, value in _fields(summary):
                    entries = dict(_fields(value))
                    scalar = _scalar(entries)
                    if scalar is not None:
                        yield step, bytes(entries[1]).decode("utf-8", "replace"), scalar
    except (IndexError, struct.error, TypeError, KeyError):
        raise ValueError("A record of the event file is damaged.") from None


def _scalar(value: dict[int, Any]) -> float | None:
    """Return the number of a summary's value, or None if it is something else."""
    if 2 in value:
        return float(struct.unpack("<f", value[2])[0])
    if 8 not in value:
        return None
    tensor = dict(_fields(value[8]))
    kind, size = {1: ("f", 4), 2: ("d", 8)}.get(tensor.get(1, 0), ("", 0))
    content = tensor.get(4) or tensor.get(5 if kind == "f" else 6)
    if not kind or content is None or len(content) != size:
        return None
    return float(struct.unpack(f"<{kind}", content)[0])


def _fields(data: bytes) -> list[tuple[int, Any]]:
    """Return the fields of a protocol buffer: numbers, or bytes of nested ones and of floats."""
    fields: list[tuple[int, Any]] = []
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        kind = key & 7
        if kind == 0:
            value, position = _varint(data, position)
            fields.append((key >> 3, value))
            continue
        size = {1: 8, 5: 4}.get(kind, -1)
        if kind == 2:
            size, position = _varint(data, position)
        if size < 0 or position + size > len(data):
            raise IndexError
        fields.append((key >> 3, data[position : position + size]))
        position += size
    return fields


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise IndexError


def _masked_crc(data: bytes) -> int:
    """Return the masked CRC-32C of a record's length."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _crc_table()[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@functools.cache
def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table
