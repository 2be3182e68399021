"""The processes of the contestants: one that answers orders, and one for a single measurement.

A contestant's process writes one line of JSON for each report. The Python of a contestant may be
that of another environment: `interpreter`.
"""

import functools
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.contestants import Contestant

ROOT = Path(__file__).resolve().parents[1]

# Threads that spin while they wait for more work are asleep after this many seconds.
PAUSE = 0.05

Report = dict[str, Any]


class Process:
    """A process that answers one order after another, used as a context.

    Args:
        contestant: Whose process it is.
        module: The module that runs.
        arguments: Its arguments.
        environment: What the process finds in its environment.
    """

    def __init__(
        self,
        contestant: Contestant,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self._label = contestant.label
        self._process = subprocess.Popen(
            [interpreter(contestant), "-m", module, *arguments],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, order: str) -> Report:
        """Write a line, and return the report that answers it."""
        time.sleep(PAUSE)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self.report()

    def report(self) -> Report:
        """Wait for the next report, and return it.

        Raises:
            RuntimeError: The process has ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"The process of {self._label!r} ended with exit code {self._process.wait()}; "
                "what it said stands above."
            )
        report: Report = json.loads(line)
        return report


def run_once(contestant: Contestant, module: str, arguments: Sequence[str]) -> Report:
    """Return the only report of a new process.

    Raises:
        RuntimeError: The process has ended without one.
    """
    with Process(contestant, module, arguments, environment(contestant)) as process:
        return process.report()


def environment(contestant: Contestant | None = None, quick: bool = False) -> dict[str, str]:
    """Return the environment of a process: on the CPU, and nothing compiled kept from before."""
    shared = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    own = dict(contestant.environment) if contestant else {"KERAS_BACKEND": "jax"}
    values = {**os.environ, **shared, **own}
    values.pop("JAX_COMPILATION_CACHE_DIR", None)
    if quick:
        # PyTorch's threads wait for each other a hundred times longer where tests share the cores.
        values["OMP_NUM_THREADS"] = "1"
    return values


def interpreter(contestant: Contestant) -> str:
    """Return the Python of a contestant: of its own environment if one is set, else this one."""
    path = os.environ.get(contestant.python) if contestant.python else None
    return os.path.abspath(path) if path else sys.executable


def missing(contestant: Contestant) -> list[str]:
    """Return the modules that the contestant needs and that its Python does not have."""
    python = interpreter(contestant)
    if python != sys.executable:
        return list(_missing_in(python, contestant.needs))
    return [name for name in contestant.needs if importlib.util.find_spec(name) is None]


@functools.cache
def _missing_in(python: str, needs: tuple[str, ...]) -> tuple[str, ...]:
    program = "import importlib.util, sys\n"
    program += "print(*(n for n in sys.argv[1:] if importlib.util.find_spec(n) is None))"
    done = subprocess.run(
        [python, "-c", program, *needs], stdout=subprocess.PIPE, check=True, text=True
    )
    return tuple(done.stdout.split())
