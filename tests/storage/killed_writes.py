"""Kill a process that writes checkpoints, at one system call after another.

`python -m tests.storage.killed_writes FOLDER` prints the number of instants at which it killed the
process. It fails if a kill leaves anything but the old checkpoint or the new one.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from fjax.storage.array_store import FileStore
from fjax.storage.checkpoint_folder import CheckpointFolder

CALLS = (
    (os, "open"), (os, "fdopen"), (os, "chmod"), (os, "fsync"), (os, "replace"), (os, "close"),
    (os, "unlink"),
)  # fmt: skip


def main(folder: Path) -> int:
    """Kill writes before and after each of their calls; return the number of instants."""
    newest, instant = 0.0, 0
    _write(folder, newest)
    while True:
        killed = _write_and_kill(folder, newest + 1.0, instant)
        value = _read_newest(folder)
        assert value in (newest, newest + 1.0), (instant, newest, value)
        assert not list(folder.glob("*.part")) + list(folder.glob(".*.part"))
        if not killed:
            assert value == newest + 1.0
            return instant
        newest, instant = value, instant + 1


def _write_and_kill(folder: Path, value: float, instant: int) -> bool:
    """Write in a child process that is killed at this instant; return whether it was reached."""
    child = os.fork()
    if child == 0:
        remaining = [instant]

        def pass_instant() -> None:
            if remaining[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            remaining[0] -= 1

        def count_instants(function: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                pass_instant()
                result = function(*args, **kwargs)
                pass_instant()
                return result

            return call

        for module, name in CALLS:
            setattr(module, name, count_instants(getattr(module, name)))
        try:
            _write(folder, value)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _write(folder: Path, value: float) -> None:
    checkpoints = CheckpointFolder(folder, 2, FileStore())
    checkpoints.start({"value": np.full(1000, value)}, "{}")()
    checkpoints.close()


def _read_newest(folder: Path) -> float:
    checkpoints = CheckpointFolder(folder, 2, FileStore())
    values = checkpoints.read_newest(lambda file: file.read("value"))
    checkpoints.close()
    assert values is not None and (values == values[0]).all()
    return float(values[0])


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
