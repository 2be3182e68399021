"""The job of several processes: their messages, and what happens when one of them fails.

The messages go through the key-value store of JAX's coordination service, which process 0 runs.
They need no device, so they do not wait for the programs that are running.
"""

import atexit
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
from jax._src import distributed

from fjax.processes.errors import DisagreementError, ProcessError
from fjax.processes.watcher import Watcher

# The first part of all keys.
PREFIX = "fjax"

# How long one request waits before the failures of other processes are checked again.
POLL_MILLISECONDS = 500

# How long a process waits for one that does not join a gathering of arrays.
GATHER_SECONDS = 60.0

# How long the text of an error may be.
MAX_ERROR = 2000


class Job:
    """The processes that `jax.distributed.initialize` has connected.

    Args:
        client: JAX's client of the coordination service.
        index: The number of this process.
        count: The number of processes.
    """

    def __init__(self, client: Any, index: int, count: int) -> None:
        self.index, self.count = index, count
        self._client = client
        self._round = 0
        self._depth = 0
        self._watcher = Watcher(client, PREFIX, index, count)

    def start(self) -> None:
        """Watch the other processes, and report an error that ends this one."""
        self._watcher.start()
        previous = sys.excepthook

        def report(kind: Any, error: Any, trace: Any) -> None:
            self._watcher.report_end(_describe(error))
            previous(kind, error, trace)

        sys.excepthook = report
        # After the handlers that were registered later, and before JAX's own.
        atexit.register(self._watcher.end)

    def exchange(self, topic: str, value: Any = None, seconds: float | None = None) -> list[Any]:
        """Return the values of all processes, in their order, once each of them has called this.

        Args:
            topic: What the processes do, in words for an error.
            value: Plain data.
            seconds: How long to wait for the others; None waits as long as they are alive.

        Raises:
            DisagreementError: Another process does something else, or nothing in time.
            ProcessError: Another process has failed or ended.
        """
        self._round += 1
        number = self._round
        self._client.key_value_set(self._key(number, self.index), json.dumps([topic, value]))
        texts = [self._receive(number, other, topic, seconds) for other in range(self.count)]
        # Whoever has read the messages of a round has finished with those of the round before it.
        if number > 2:
            self._client.key_value_delete(self._key(number - 2, self.index))
        messages = [json.loads(text) for text in texts]
        topics = [message[0] for message in messages]
        if len(set(topics)) > 1:
            told = "; ".join(f"process {at}: {each}" for at, each in enumerate(topics))
            raise DisagreementError(
                f"The processes are at different places of the program: {told}. All processes must "
                "make the same calls of models in the same order."
            )
        return [message[1] for message in messages]

    @contextmanager
    def run(self, topic: str) -> Iterator[None]:
        """A run that all processes make together, which ends for all if it fails in one.

        Raises:
            ProcessError: Another process has failed, and this one cannot go on.
        """
        self._depth += 1
        if self._depth == 1:
            self._watcher.begin_run()
        try:
            yield
            if self._depth == 1:
                self.exchange(f"the end of `{topic}`")
        except BaseException as error:
            if self._depth == 1:
                self._explain(error)
            raise
        finally:
            self._depth -= 1
            if not self._depth:
                self._watcher.end_run()

    def _explain(self, error: BaseException) -> None:
        """Report an error to the others; raise that of another process if it has caused this."""
        is_result = isinstance(error, jax.errors.JaxRuntimeError)
        failure = self._watcher.wait_for_failure() if is_result else None
        if failure is not None:
            raise failure.error() from error
        if not isinstance(error, ProcessError):
            self._watcher.report_run(_describe(error))

    def _receive(self, number: int, other: int, topic: str, seconds: float | None) -> str:
        waited = 0.0
        while True:
            try:
                text: str = self._client.blocking_key_value_get(
                    self._key(number, other), POLL_MILLISECONDS
                )
                return text
            except jax.errors.JaxRuntimeError as error:
                if "DEADLINE_EXCEEDED" not in str(error):
                    raise
            failure = self._watcher.failure_of(other)
            if failure is not None:
                raise failure.error()
            waited += POLL_MILLISECONDS / 1000
            if seconds is not None and waited > seconds:
                raise DisagreementError(
                    f"Process {self.index} has waited {seconds:.0f} seconds for process {other}, "
                    f"which does not join: {topic}. All processes must make the same calls of "
                    "models in the same order; only what follows from their results may differ."
                )

    def _key(self, number: int, process: int) -> str:
        return f"{PREFIX}/round/{number}/{process}"


_JOBS: list[Job] = []


def current_job() -> Job | None:
    """Return the job that this process belongs to; None if it runs alone."""
    client = distributed.global_state.client
    if client is None:
        return None
    if not _JOBS:
        state = distributed.global_state
        _JOBS.append(Job(client, state.process_id, state.num_processes))
        _JOBS[0].start()
    return _JOBS[0]


def shared_job() -> Job:
    """Return the job of a mesh that several processes share."""
    job = current_job()
    assert job is not None
    return job


def _describe(error: BaseException) -> str:
    notes = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {error}{notes}"[:MAX_ERROR]
