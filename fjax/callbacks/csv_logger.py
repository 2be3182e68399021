"""The logs of each epoch in a CSV file."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fjax.callbacks.callback import Logs
from fjax.callbacks.stateful import StatefulCallback
from fjax.errors import explain_keywords, one_of
from fjax.training.logs import sort_logs
from fjax.typing import Spec


class CSVLogger(StatefulCallback):
    """Write the logs of each epoch into a CSV file, one row per epoch.

    Args:
        filename: The path of the file.
        separator: The character between two columns.
        append: Whether to append to an existing file; otherwise, it is overwritten.

    Raises:
        ValueError: The separator is not a single character. Before training: the file to append to
            is not such a table. After an epoch: it has logs for which there is no column.
        TypeError: `filename` is not a path.
        FileNotFoundError: Before training: the folder does not exist.

    The columns are `epoch`, counted from 0, the logs of the first epoch, and those of a validation,
    which may come later; a log that an epoch lacks is `NA`. Each row is in the file when the hook
    returns, and the file is closed between epochs.

    Source: Keras's page "CSVLogger"; RFC 4180 for quotes and line ends.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "run.csv"
    >>> logger = CSVLogger(file)
    >>> logger.on_train_begin()
    >>> logger.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.25})
    >>> print(file.read_text())
    epoch,loss,val_loss
    0,0.5,0.25
    <BLANKLINE>
    """

    _added_logs = ()
    only_first_process = True

    columns: list[str]
    size: int

    @explain_keywords
    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        if not isinstance(filename, str | os.PathLike) or not os.fspath(filename):
            raise TypeError(f"`CSVLogger`: `filename` must be a path, received {filename!r}.")
        if not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n':
            raise ValueError(
                "`CSVLogger`: `separator` must be one character other than a quote or a line end, "
                f"received {separator!r}."
            )
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = one_of("CSVLogger", "append", append, [False, True])

    def first_state(self) -> dict[str, Any]:
        """Return the state of an empty file: no columns, no bytes."""
        return {"columns": [], "size": 0}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Create the file, or find the position in an existing file from which to continue."""
        continues, path = self._continues, Path(self.filename)
        super().on_train_begin(logs)
        if not path.parent.is_dir():
            raise FileNotFoundError(
                f"`CSVLogger`: the folder of {self.filename!r} does not exist. Create it first."
            )
        if continues and path.exists():
            self._truncate(path)
        elif self.append and path.exists():
            self.columns, self.size = self._header(path), path.stat().st_size
        else:
            self.columns, self.size = [], 0
            path.write_bytes(b"")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append a row for the epoch."""
        logs, rows = logs or {}, list[list[Any]]()
        if not self.columns:
            self.columns = ["epoch", *_columns(logs)]
            rows.append(self.columns)
        missing = [name for name in sort_logs(logs) if name not in self.columns]
        if missing:
            raise ValueError(
                f"`CSVLogger`: {self.filename!r} has no column for {', '.join(missing)}: its "
                f"columns are {', '.join(self.columns)}. They are those of the first epoch; begin "
                "another file, or log the same in each epoch."
            )
        rows.append([epoch, *(_cell(logs.get(name, "NA")) for name in self.columns[1:])])
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator).writerows(rows)
        with open(self.filename, "ab") as file:
            file.write(text.getvalue().encode("utf-8"))
            self.size = file.tell()

    def _truncate(self, path: Path) -> None:
        """Remove the rows that were written after the state that was restored."""
        if path.stat().st_size < self.size or (self.columns and self._header(path) != self.columns):
            raise ValueError(
                f"`CSVLogger`: {self.filename!r} is not the file of the resumed run, which had "
                f"{self.size} bytes and the columns {', '.join(self.columns)}: restore that file, "
                "or remove this one."
            )
        os.truncate(path, self.size)

    def _header(self, path: Path) -> list[str]:
        with open(path, encoding="utf-8", newline="") as file:
            columns = next(csv.reader(file, delimiter=self.separator), [])
        if columns and columns[0] != "epoch":
            raise ValueError(
                f"`CSVLogger`: cannot append to {self.filename!r}: its first column is "
                f"{columns[0]!r}, not 'epoch' (the separator is {self.separator!r})."
            )
        return columns


def _columns(logs: Logs) -> list[str]:
    """Return the columns for some logs, with those of a validation that may come later."""
    names = list(sort_logs(logs))
    if any(name.startswith("val_") for name in names):
        return names
    return names + [f"val_{name}" for name in names]


def _cell(value: Any) -> Any:
    """Return a value as Keras writes it: several numbers become a quoted list."""
    is_scalar = isinstance(value, Spec) and not value.shape
    if isinstance(value, Iterable) and not isinstance(value, str) and not is_scalar:
        return f'"[{", ".join(map(str, value))}]"'
    return value
