"""Write a run's files in a process that is killed at one system call after another.

`python -m tests.storage.killed_writes FOLDER` prints at how many instants it was killed, and
fails where what is left is neither the run before nor the new one.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from fjax.storage.run_folder import RunFolder

CALLS = (
    (os, "open"), (os, "fdopen"), (os, "chmod"), (os, "fsync"), (os, "replace"), (os, "close"),
    (os, "unlink"),
)  # fmt: skip


def main(folder: Path) -> int:
    """Kill a write before and after each of its calls; return how many instants there are."""
    before, instant = 0.0, 0
    _write(folder, before)
    while True:
        killed = _killed_write(folder, before + 1.0, instant)
        found = _newest(folder)
        assert found in (before, before + 1.0), (instant, before, found)
        assert not list(folder.glob("*.part")) + list(folder.glob(".*.part"))
        if not killed:
            assert found == before + 1.0
            return instant
        before, instant = found, instant + 1


def _killed_write(folder: Path, value: float, instant: int) -> bool:
    """Write in a child that is killed at this instant; tell whether it was."""
    child = os.fork()
    if child == 0:
        left = [instant]

        def pass_an_instant() -> None:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

        def counted(function: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                pass_an_instant()
                result = function(*args, **kwargs)
                pass_an_instant()
                return result

            return call

        for module, name in CALLS:
            setattr(module, name, counted(getattr(module, name)))
        try:
            _write(folder, value)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _write(folder: Path, value: float) -> None:
    run = RunFolder(folder, keep=2)
    run.write({"value": np.full(1000, value)}, "{}")
    run.close()


def _newest(folder: Path) -> float:
    run = RunFolder(folder, keep=2)
    found = run.newest(lambda file: file.read("value"))
    run.close()
    assert found is not None and (found == found[0]).all()
    return float(found[0])


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
