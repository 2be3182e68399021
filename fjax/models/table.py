"""Tables of box-drawing characters, whose cells wrap within their columns."""

import itertools
import re
import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple

# The maximum width if the terminal's width is not known: the width of Keras's widest table.
WIDTH = 108

# The minimum width of a narrowed column, without its margins.
NARROWEST = 8


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: The text of its header.
        minimum: Its minimum width, as long as the whole table fits.
        alignment: The alignment of its cells, as in a format string: "<", ">" or "^".
        wraps: Whether a cell may take several lines.
    """

    title: str
    minimum: int
    alignment: str = "<"
    wraps: bool = True


def render(columns: Sequence[Column], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """Return a table as text; a cell that is wider than its column takes several lines.

    >>> print(render([Column("name", 4), Column("count", 5, ">")], [["dense one", "12"]], [5, 5]))
    ┏━━━━━━━┳━━━━━━━┓
    ┃ name  ┃ count ┃
    ┡━━━━━━━╇━━━━━━━┩
    │ dense │    12 │
    │ one   │       │
    └───────┴───────┘
    """

    def row_lines(cells: Sequence[str], bar: str) -> list[str]:
        wrapped = [_wrap_cell(cell, width) for cell, width in zip(cells, widths, strict=True)]
        lines = []
        for parts in itertools.zip_longest(*wrapped, fillvalue=""):
            aligned = [
                f" {part:{column.alignment}{width}} "
                for part, column, width in zip(parts, columns, widths, strict=True)
            ]
            lines.append(bar + bar.join(aligned) + bar)
        return lines

    def rule(left: str, fill: str, middle: str, right: str) -> str:
        return left + middle.join(fill * (width + 2) for width in widths) + right

    head = row_lines([column.title for column in columns], "┃")
    lines = [rule("┏", "━", "┳", "┓"), *head, rule("┡", "━", "╇", "┩")]
    for index, cells in enumerate(rows):
        if index:
            lines.append(rule("├", "─", "┼", "┤"))
        lines += row_lines(cells, "│")
    return "\n".join([*lines, rule("└", "─", "┴", "┘")])


def available_width() -> int:
    """Return the width of the terminal, or `WIDTH` if the output is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH


def fit_widths(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    maximum: int,
    exactly: int | None = None,
) -> list[int]:
    """Return the widths of columns that fit the cells.

    In a table that would be wider than `maximum`, the widest columns that wrap are narrowed, down
    to `NARROWEST`.

    Args:
        columns: The columns.
        rows: The cells.
        maximum: The width that the table should not exceed.
        exactly: The width that the table must have.

    Raises:
        ValueError: The table cannot be that narrow.
    """
    needed = [
        max(_longest_line(cell) for cell in (column.title, *(row[n] for row in rows)))
        for n, column in enumerate(columns)
    ]
    widths = [max(column.minimum, width) for column, width in zip(columns, needed, strict=True)]
    frame = 3 * len(columns) + 1
    room = (maximum if exactly is None else exactly) - frame
    wrapping = [n for n, column in enumerate(columns) if column.wraps]
    for n, column in enumerate(columns):
        if sum(widths) > room and not column.wraps:
            widths[n] = needed[n]
    while sum(widths) > room:
        widest = max(wrapping, key=widths.__getitem__)
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


def widths_at(columns: Sequence[Column], positions: Sequence[float], length: int) -> list[int]:
    """Return the widths of columns that end at these fractions of a line.

    Raises:
        ValueError: The positions do not increase up to 1, their number is not that of the columns,
            or a column is too narrow.
    """
    ends = [float(position) for position in positions]
    increasing = all(before < after for before, after in itertools.pairwise([0.0, *ends]))
    if len(ends) != len(columns) or not increasing or ends[-1] > 1:
        titles = ", ".join(column.title for column in columns)
        raise ValueError(
            f"`summary`: `positions` must be {len(columns)} increasing numbers up to 1, where the "
            f"columns {titles} end, received {list(positions)}."
        )
    bars = [0, *(int(end * (length - 1)) for end in ends)]
    widths = [after - before - 3 for before, after in itertools.pairwise(bars)]
    for column, width in zip(columns, widths, strict=True):
        if width < 4:
            raise ValueError(
                f"`summary`: `positions` leave {max(width, 0)} characters of a line of {length} "
                f"for the column {column.title!r}, which needs 4: move them, or give a larger "
                "`line_length`."
            )
    return widths


def _longest_line(cell: str) -> int:
    return max(len(line) for line in cell.split("\n"))


def _wrap_cell(cell: str, width: int) -> list[str]:
    return [part for line in cell.split("\n") for part in _wrap_line(line, width)]


def _wrap_line(line: str, width: int) -> list[str]:
    """Return a line in several lines, split between words, else after an underscore or anywhere."""
    if len(line) <= width:
        return [line]
    text = line.lstrip(" └")
    margin = line[: len(line) - len(text)]
    # A margin that fills the column would leave no room for words.
    margin = margin if len(margin) + 4 <= width else ""
    lines, room = [""], width - len(margin)
    for word in text.split(" "):
        if len(word) <= room:
            longer = f"{lines[-1]} {word}".lstrip()
            lines[-1:] = [longer] if len(longer) <= room else [lines[-1], word]
            continue
        if lines[-1]:
            lines.append("")
        for piece in re.findall(f"[^_]{{1,{room}}}_?|_", word):
            for start in range(0, len(piece), room):
                part = piece[start : start + room]
                longer = lines[-1] + part
                lines[-1:] = [longer] if len(longer) <= room else [lines[-1], part]
    return [(" " * len(margin) if number else margin) + part for number, part in enumerate(lines)]
