"""The curves of a file that `CSVLogger` writes."""

import csv
import io
from typing import BinaryIO

from fjax.dashboard.run import Run, Series

MAX_BYTES = 64 * 2**20
SEPARATORS = ",;\t| "


def read_csv(file: BinaryIO, run: Run) -> None:
    """Add the curves of a CSV file to a run; a last row without its end is being written.

    Raises:
        ValueError: It is not a table of `CSVLogger`.
    """
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"The file is larger than {MAX_BYTES // 2**20} MB, and was not read.")
    if not data:
        run.problem = "The file is empty: its first row follows the first epoch."
        return
    whole = data[: data.rfind(b"\n") + 1]
    try:
        text = whole.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("It is no table of CSVLogger: it is not text.") from None
    header = text.split("\n", 1)[0]
    separator = next((mark for mark in SEPARATORS if header.startswith(f"epoch{mark}")), ",")
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    if not rows or rows[0][0] != "epoch":
        raise ValueError("It is no table of CSVLogger: its first column is not `epoch`.")
    columns = rows[0]
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(columns):
            run.problem = f"Line {number} has {len(row)} values for {len(columns)} columns."
            continue
        epoch = _number(row[0])
        for name, cell in zip(columns[1:], row[1:], strict=True):
            value = _number(cell)
            if epoch is not None and (value is not None or cell.lower() in ("nan", "inf", "-inf")):
                series = run.series.setdefault(name, Series([], []))
                series.x.append(epoch + 1)
                series.y.append(value)
    if len(whole) < len(data):
        run.problem = "The last line is half-written; it is left out."


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
