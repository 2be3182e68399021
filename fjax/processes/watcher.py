"""A thread that watches the other processes of a job, and ends this one if it cannot go on.

A process that waits in a collective operation cannot be interrupted by an exception. So when
another process has failed, the thread gives the main thread some seconds to notice it, and then
ends the process with an error.
"""

import contextlib
import dataclasses
import json
import logging
import os
import sys
import threading
import time
from typing import Any

import jax

from fjax.processes.errors import ProcessError

# How often the thread looks, in seconds.
INTERVAL = 0.5

# How long the main thread may take to notice that another process has failed.
GRACE_SECONDS = 5.0

# A process without a sign of life for so long is reported; JAX ends the job later.
SILENT_SECONDS = 12.0

# How long process 0, which runs the coordination service, waits for the others to read its error.
LAST_WORDS_SECONDS = 20.0


@dataclasses.dataclass(frozen=True)
class Failure:
    """What has happened to another process.

    Attributes:
        process: Its number.
        count: The number of processes.
        text: Its error; empty if it has ended without one.
    """

    process: int
    count: int
    text: str

    def error(self) -> ProcessError:
        """Return the error for the processes that depend on it."""
        if self.text:
            return ProcessError(f"Process {self.process} of {self.count} failed: {self.text}")
        return ProcessError(
            f"Process {self.process} of {self.count} has ended, and this process needs it: all "
            "processes must make the same calls of models."
        )


class Watcher:
    """Watches the processes of a job; see `fjax.processes.job.Job` for the arguments."""

    def __init__(self, client: Any, prefix: str, index: int, count: int) -> None:
        self._client, self._prefix = client, prefix
        self._index, self._count = index, count
        self._run = 0
        self._in_run = False
        self._failures: dict[int, Failure] = {}
        self._ended: dict[int, str] = {}
        self._seen: dict[int, tuple[str, float]] = {}
        self._reported_silent: set[int] = set()
        self._own_end: str | None = None
        self._failed_since: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="fjax-watch", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def begin_run(self) -> None:
        """Note that the main thread begins a run of all processes."""
        self._run += 1
        self._in_run = True

    def end_run(self) -> None:
        """Note that the main thread has left the run."""
        self._in_run = False

    def report_run(self, text: str) -> None:
        """Tell the other processes that the current run has failed in this one."""
        self._set(f"failed/{self._run}/{self._index}", text)

    def report_end(self, text: str) -> None:
        """Tell the other processes that this one ends; without an error the text is empty."""
        if self._own_end is None:
            self._own_end = text
            self._set(f"ended/{self._index}", text)

    def failure_of(self, process: int) -> Failure | None:
        """Return the failure of a process, as far as it concerns what this one does."""
        self._look()
        return self._failures.get(process)

    def wait_for_failure(self) -> Failure | None:
        """Return a failure that explains an error of a collective operation, or None."""
        end = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < end and not self._failures:
            self._look()
            time.sleep(INTERVAL / 5)
        return next(iter(self._failures.values()), None)

    def end(self) -> None:
        """End this process's part of the job, when Python ends."""
        self.report_end("")
        self._stop.set()
        self._thread.join()
        self._look()
        failed = [self._failures[process] for process, text in self._ended.items() if text]
        if not self._own_end and not failed:
            # JAX waits for all processes.
            return
        if not self._own_end:
            print(f"fjax: {failed[0].error()}", file=sys.stderr)
        self._leave()

    def _leave(self) -> None:
        """End the process at once, since JAX would wait for processes that have failed."""
        if self._index == 0:
            end = time.monotonic() + LAST_WORDS_SECONDS
            while len(self._ended) < self._count - 1 and time.monotonic() < end:
                time.sleep(INTERVAL / 2)
                self._look()
            # The others print their errors.
            time.sleep(INTERVAL)
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)

    def _watch(self) -> None:
        beats = 0
        while not self._stop.wait(INTERVAL):
            beats += 1
            self._set(f"alive/{self._index}", str(beats))
            self._look()
            self._check_silence()
            if not (self._failures and self._in_run):
                self._failed_since = None
            elif self._failed_since is None:
                self._failed_since = time.monotonic()
            elif time.monotonic() - self._failed_since > GRACE_SECONDS:
                error = next(iter(self._failures.values())).error()
                print(f"fjax: {error}", file=sys.stderr)
                self.report_end(str(error))
                self._leave()

    def _look(self) -> None:
        """Read what the other processes have reported."""
        failures: dict[int, Failure] = {}
        for process, text in self._read(f"failed/{self._run}/"):
            failures[process] = Failure(process, self._count, text)
        for process, text in self._read("ended/"):
            self._ended[process] = text
            failures.setdefault(process, Failure(process, self._count, text))
        self._failures = failures

    def _check_silence(self) -> None:
        now = time.monotonic()
        for process, beat in self._read("alive/"):
            if self._seen.get(process, ("", 0.0))[0] != beat:
                self._seen[process] = (beat, now)
                self._reported_silent.discard(process)
        for process, (_, since) in self._seen.items():
            is_silent = now - since > SILENT_SECONDS and process not in self._ended
            if is_silent and process not in self._reported_silent:
                self._reported_silent.add(process)
                print(
                    f"fjax: process {process} of {self._count} has given no sign of life for "
                    f"{SILENT_SECONDS:.0f} seconds: it was killed, or its machine does not answer. "
                    "If it stays silent, the job ends.",
                    file=sys.stderr, flush=True,
                )  # fmt: skip

    def _read(self, folder: str) -> list[tuple[int, str]]:
        """Return the numbers of other processes and their texts in a folder of the store."""
        try:
            entries = self._client.key_value_dir_get(f"{self._prefix}/{folder}")
        except jax.errors.JaxRuntimeError:
            # Without the service, JAX ends the process.
            return []
        pairs = ((int(key.rpartition("/")[2]), json.loads(text)) for key, text in entries)
        return [(process, text) for process, text in pairs if process != self._index]

    def _set(self, key: str, text: str) -> None:
        # Without the service there is nobody to tell.
        with contextlib.suppress(jax.errors.JaxRuntimeError):
            self._client.key_value_set(
                f"{self._prefix}/{key}", json.dumps(text), allow_overwrite=True
            )
