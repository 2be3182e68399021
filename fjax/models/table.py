"""Tables in box characters, whose cells wrap and never break the frame."""

import itertools
import re
import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple

# The widest text where nothing says how wide the terminal is; Keras's widest table, too.
WIDTH = 108

# What no column is narrowed below, without its margins.
NARROWEST = 8


class Column(NamedTuple):
    """A column: its head, its least width where there is room, its side, and if its cells wrap."""

    head: str
    least: int
    side: str = "<"
    wraps: bool = True


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """Return a table with columns of these widths; a cell that is too long takes several lines.

    >>> print(table([Column("name", 4), Column("count", 5, ">")], [["dense one", "12"]], [5, 5]))
    ┏━━━━━━━┳━━━━━━━┓
    ┃ name  ┃ count ┃
    ┡━━━━━━━╇━━━━━━━┩
    │ dense │    12 │
    │ one   │       │
    └───────┴───────┘
    """

    def line(cells: Sequence[str], bar: str) -> list[str]:
        wrapped = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
        height = max(len(cell) for cell in wrapped)
        lines = []
        for number in range(height):
            aligned = [
                f" {cell[number] if number < len(cell) else '':{column.side}{width}} "
                for cell, column, width in zip(wrapped, columns, widths, strict=True)
            ]
            lines.append(bar + bar.join(aligned) + bar)
        return lines

    def rule(left: str, fill: str, middle: str, right: str) -> str:
        return left + middle.join(fill * (width + 2) for width in widths) + right

    heads = line([column.head for column in columns], "┃")
    lines = [rule("┏", "━", "┳", "┓"), *heads, rule("┡", "━", "╇", "┩")]
    for position, cells in enumerate(rows):
        if position:
            lines.append(rule("├", "─", "┼", "┤"))
        lines += line(cells, "│")
    return "\n".join([*lines, rule("└", "─", "┴", "┘")])


def available_width() -> int:
    """Return how wide text may be: as wide as the terminal, or `WIDTH` where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH


def fitted(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    at_most: int,
    exactly: int | None = None,
) -> list[int]:
    """Return the widths of columns that make a table as wide as its cells need.

    Where that is wider than `at_most`, the widest columns that wrap are narrowed, as far as they
    can be.

    Args:
        columns: The columns.
        rows: The cells.
        at_most: The width that the table should keep to.
        exactly: The width that it must have.

    Raises:
        ValueError: The table cannot be so narrow.
    """
    widths = [
        max(column.least, _longest_line(column.head), *(_longest_line(row[n]) for row in rows))
        if rows
        else max(column.least, len(column.head))
        for n, column in enumerate(columns)
    ]
    frame = 3 * len(columns) + 1
    room = (at_most if exactly is None else exactly) - frame
    can_wrap = [n for n, column in enumerate(columns) if column.wraps]
    for n, column in enumerate(columns):
        # What cannot wrap gives up the room that it does not need.
        if sum(widths) > room and not column.wraps:
            widths[n] = max(
                _longest_line(cell) for cell in (column.head, *(row[n] for row in rows))
            )
    while sum(widths) > room:
        widest = max(can_wrap, key=lambda n: widths[n])
        if widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
    if exactly is not None:
        if sum(widths) > room:
            raise ValueError(
                f"`summary`: `line_length` must be at least {sum(widths) + frame} for these "
                f"columns, received {exactly}."
            )
        widths[0] += room - sum(widths)
    return widths


def placed(columns: Sequence[Column], positions: Sequence[float], length: int) -> list[int]:
    """Return the widths of columns that end at these parts of a line.

    Raises:
        ValueError: The positions do not rise up to 1, are too many or few, or leave no room.
    """
    ends = [float(position) for position in positions]
    rising = all(before < after for before, after in itertools.pairwise([0.0, *ends]))
    if len(ends) != len(columns) or not rising or ends[-1] > 1:
        heads = ", ".join(column.head for column in columns)
        raise ValueError(
            f"`summary`: `positions` must be {len(columns)} rising numbers up to 1, where the "
            f"columns {heads} end, received {list(positions)}."
        )
    places = [0, *(int(end * (length - 1)) for end in ends)]
    widths = [after - before - 3 for before, after in itertools.pairwise(places)]
    for column, width in zip(columns, widths, strict=True):
        if width < 4:
            raise ValueError(
                f"`summary`: `positions` leave {max(width, 0)} characters of a line of {length} "
                f"for the column {column.head!r}, which needs 4: move them, or give a larger "
                "`line_length`."
            )
    return widths


def _longest_line(cell: str) -> int:
    return max(len(line) for line in cell.split("\n"))


def _wrapped(cell: str, width: int) -> list[str]:
    return [part for line in cell.split("\n") for part in _broken(line, width)]


def _broken(line: str, width: int) -> list[str]:
    """Return a line in several: between words, else behind an underscore, else anywhere."""
    if len(line) <= width:
        return [line]
    text = line.lstrip(" └")
    margin = line[: len(line) - len(text)]
    # A margin that fills the column leaves no room for words.
    margin = margin if len(margin) + 4 <= width else ""
    lines, room = [""], width - len(margin)
    for word in text.split(" "):
        if len(word) <= room:
            joined = f"{lines[-1]} {word}".lstrip()
            lines[-1:] = [joined] if len(joined) <= room else [lines[-1], word]
            continue
        if lines[-1]:
            lines.append("")
        for piece in re.findall(f"[^_]{{1,{room}}}_?|_", word):
            for start in range(0, len(piece), room):
                part = piece[start : start + room]
                longer = lines[-1] + part
                lines[-1:] = [longer] if len(longer) <= room else [lines[-1], part]
    return [(" " * len(margin) if number else margin) + part for number, part in enumerate(lines)]
