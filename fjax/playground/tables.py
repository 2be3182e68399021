"""The user's own data: a table pasted as text becomes points in the square."""

import csv
import io
import math
from typing import Any, NamedTuple

import numpy as np

from fjax.playground.messages import PlaygroundError
from fjax.playground.points import scale_to_square
from fjax.playground.settings import MOST_CLASSES, MOST_POINTS, Point

# Entries that tables have in place of a number or a class.
_MISSING = ("", "nan", "na", "n/a", "none", "null", "inf", "-inf")


class Table(NamedTuple):
    """A user's table.

    Attributes:
        points: The points: two columns scaled to the square, and a class or a value from -1 to 1.
        task: "classification" or "regression".
        names: The names of the two columns, of the target, and of the classes.
    """

    points: list[Point]
    task: str
    names: list[str]


def parse_table(text: Any) -> Table:
    r"""Return the points of a table: two columns of numbers, and a third of classes or values.

    The columns are separated by commas, semicolons, tabs or spaces; the first line may have their
    names. A third column of text, or of at most six different whole numbers, is a class.

    Raises:
        ValueError: The table is empty, has other columns, or has an entry that is not a number;
            the message names the line.

    >>> table = parse_table("height,weight,sex\n1,2,a\n3,4,b\n5,6,a\n7,8,b")
    >>> table.task, table.names, table.points[1]
    ('classification', ['height', 'weight', 'sex', 'a', 'b'], (-1.667, -1.667, 1.0))
    """
    if not isinstance(text, str):
        raise PlaygroundError("empty_table")
    rows = [(number, row) for number, row in enumerate(_rows(text), start=1) if any(row)]
    if not rows:
        raise PlaygroundError("empty_table")
    for number, row in rows:
        if len(row) != 3:
            raise PlaygroundError("columns", line=number, received=len(row))
        for entry in row:
            if entry.lower() in _MISSING:
                raise PlaygroundError("entry", line=number, received=entry)
    names = ["x1", "x2", "y"]
    if not any(_is_number(entry) for entry in rows[0][1][:2]):
        names = rows.pop(0)[1]
    if len(rows) < 4:
        raise PlaygroundError("few_points", received=len(rows))
    if len(rows) > MOST_POINTS:
        raise PlaygroundError("too_many_points", most=MOST_POINTS, received=len(rows))
    x = scale_to_square(np.array([[_number(entry, number) for entry in row[:2]]
                                  for number, row in rows]))  # fmt: skip
    targets = [row[2] for _, row in rows]
    labels = _classes(targets)
    if labels is None:
        y = scale_to_square(np.array([[_number(row[2], number)] for number, row in rows])).T[0] / 5
        task = "regression"
    else:
        y, task = np.array([labels.index(target) for target in targets], float), "classification"
        names = [*names, *labels]
    points = [(round(x1, 3), round(x2, 3), round(value, 3))
              for (x1, x2), value in zip(x.tolist(), y.tolist(), strict=True)]  # fmt: skip
    return Table(points, task, names)


def _rows(text: str) -> list[list[str]]:
    """Return the entries of each line, without the space around them."""
    lines = text.strip("\ufeff\n\r").splitlines()
    for delimiter in "\t;,":
        if any(delimiter in line for line in lines):
            reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)
            return [[entry.strip() for entry in row] for row in reader]
    return [line.split() for line in lines]


def _classes(targets: list[str]) -> list[str] | None:
    """Return the classes in order, or None if the targets are values.

    Raises:
        ValueError: They are text with too many different entries, or all the same.
    """
    labels = sorted(set(targets))
    numbers = [_is_number(target) for target in targets]
    if all(numbers):
        if len(labels) > MOST_CLASSES or any(float(label) % 1 for label in labels):
            return None
        labels.sort(key=float)
    elif len(labels) > MOST_CLASSES:
        # A column of numbers with a few texts has an entry that is wrong.
        if sum(numbers) > len(numbers) / 2:
            return None
        raise PlaygroundError("classes", most=MOST_CLASSES)
    if len(labels) == 1:
        raise PlaygroundError("one_class")
    return labels


def _is_number(entry: str) -> bool:
    try:
        return math.isfinite(float(entry))
    except ValueError:
        return False


def _number(entry: str, line: int) -> float:
    if not _is_number(entry):
        raise PlaygroundError("entry", line=line, received=entry[:30])
    return float(entry)
