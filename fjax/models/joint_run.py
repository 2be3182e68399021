"""Runs that several processes make together: they agree before the first step, and end together."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from fjax.training import Source
from fjax.training.accumulators import Logs
from fjax.training.loop import StepHooks
from fjax.training.placement import Placement
from fjax.typing import SamplesRows

# How many times an epoch of a joint run pauses for a progress bar.
PAUSES = 20


class LoneRun:
    """A run of one process, which has nobody to agree with."""

    def agree(self, describe: Callable[[], Mapping[str, Any]]) -> None:
        """Do nothing."""

    def hooks(self, hooks: StepHooks, steps: int | None) -> StepHooks:
        """Return the hooks."""
        return hooks

    def any(self, flag: bool) -> bool:
        """Return the flag."""
        return flag


class JointRun:
    """A run that several processes make together.

    Args:
        job: The processes.
        topic: What is run, for errors.
    """

    def __init__(self, job: Any, topic: str) -> None:
        self._job, self.topic = job, topic
        self.has_agreed = False

    def agree(self, describe: Callable[[], Mapping[str, Any]]) -> None:
        """Compare what the processes are about to do; returns once all are ready.

        Args:
            describe: Returns what must be the same in all processes, by what it is called in an
                error, as plain data.

        Raises:
            ProcessError: Another process has raised an error before.
            DisagreementError: The processes differ.
        """
        self._exchange({"is": dict(describe())})

    def refuse(self, error: BaseException) -> None:
        """Tell the other processes of an error before the run."""
        self._exchange({"error": f"{type(error).__name__}: {error}"})

    def _exchange(self, message: dict[str, Any]) -> None:
        from fjax.processes.errors import DisagreementError, ProcessError

        self.has_agreed = True
        messages = self._job.exchange(self.topic, message)
        if "error" in message:
            return
        for number, other in enumerate(messages):
            if "error" in other:
                raise ProcessError(
                    f"Process {number} of {self._job.count} failed before the first step: "
                    f"{other['error']}"
                )
        for name in message["is"]:
            values = [other["is"].get(name) for other in messages]
            if any(value != values[0] for value in values):
                raise DisagreementError(_difference(self.topic, name, values))

    def hooks(self, hooks: StepHooks, steps: int | None) -> StepHooks:
        """Return hooks with which all processes run the same chunks of steps.

        Args:
            hooks: The hooks of this process.
            steps: The steps of an epoch, or None.
        """
        flags = self._job.exchange(
            f"the hooks of {self.topic}", [hooks.needs_each_step, hooks.shows_progress]
        )
        needs_each_step, shows_progress = (any(flag) for flag in zip(*flags, strict=True))
        most = math.ceil(steps / PAUSES) if shows_progress and steps else None
        return _JointHooks(self, hooks, needs_each_step, most)

    def any(self, flag: bool) -> bool:
        """Return whether a flag is set in some process."""
        return any(self._job.exchange(f"a step of {self.topic}", bool(flag)))


class _JointHooks:
    """Hooks of which all processes call the same ones, and stop at the same step.

    The length of a chunk does not depend on time, which differs between processes.
    """

    def __init__(
        self, run: JointRun, hooks: StepHooks, needs_each_step: bool, most: int | None
    ) -> None:
        self._run, self._hooks, self._most = run, hooks, most
        self.needs_each_step, self.shows_progress = needs_each_step, False

    def longest_chunk(self) -> int | None:
        """Return the largest number of steps between two calls."""
        limits = [each for each in (self._hooks.longest_chunk(), self._most) if each is not None]
        return min(limits) if limits else None

    def on_step_begin(self, step: int) -> None:
        """Call the hooks."""
        self._hooks.on_step_begin(step)

    def on_step_end(self, step: int, logs: Logs) -> bool:
        """Call the hooks, and return whether a process stops."""
        stop = self._hooks.on_step_end(step, logs)
        return self._run.any(stop) if self.needs_each_step else stop


@contextmanager
def joint_run(topic: str, placement: Placement) -> Iterator[Any]:
    """Yield the run of one process, or of all that share the devices of a placement.

    Args:
        topic: What is run, for errors.
        placement: The devices.

    Raises:
        ProcessError: Another process has failed, and this one cannot go on.
        ValueError: The mesh has devices of some processes only.
    """
    if not placement.is_shared:
        yield LoneRun()
        return
    from fjax.processes.job import shared_job

    job = shared_job()
    run = JointRun(job, topic)
    with job.run(topic):
        try:
            _check_complete(placement, job.count)
            yield run
        except Exception as error:
            if not run.has_agreed:
                run.refuse(error)
            raise


def write_once(topic: str, placement: Placement, write: Callable[[], None]) -> None:
    """Write a file: in the first of the processes that share a placement, while the others wait.

    Args:
        topic: What is written, for errors.
        placement: The devices of the model.
        write: Writes the file.

    Raises:
        ProcessError: The first process could not write it.
    """
    if not placement.is_shared:
        write()
        return
    from fjax.processes.errors import ProcessError
    from fjax.processes.job import shared_job

    job, error = shared_job(), None
    job.exchange(topic)
    if placement.process_index == 0:
        try:
            write()
        except Exception as raised:
            error = raised
    (told, *_) = job.exchange(topic, error and f"{type(error).__name__}: {error}")
    if error is not None:
        raise error
    if told is not None:
        raise ProcessError(f"Process 0 of {job.count} failed: {told}")


def check_joins(placement: Placement) -> None:
    """Raise ValueError if a model would be trained on one device in each of several processes."""
    if placement.mesh is None and jax.distributed.is_initialized() and jax.process_count() > 1:
        raise ValueError(
            f"`fit`: the job has {jax.process_count()} processes, but this model is on one device: "
            "compile with `placement=fjax.distribution.data_parallel()`, so that all processes "
            "train it together. To train another model in each process, compile with "
            "`placement=data_parallel(jax.local_devices()[:1])`."
        )


def describe_source(name: str, source: Source) -> dict[str, Any]:
    """Return what the data of all processes must have in common."""
    spec = [
        f"{jax.tree_util.keystr(path) or '.'}: {leaf.dtype} {tuple(leaf.shape)}"
        for path, leaf in jax.tree_util.tree_leaves_with_path(source.spec)
    ]
    count, values = source.sample_rows() if isinstance(source, SamplesRows) else (None, None)
    return {
        f"the number of rows of the {name}": count,
        f"the batches of the {name}": spec,
        f"the batch sizes of the {name}": list(source.batch_sizes),
        f"the steps of an epoch of the {name}": source.steps,
        f"a checksum of some rows of the {name}": values,
    }


def describe_weights(weights: Any) -> dict[str, Any]:
    """Return what the weights of all processes must have in common; see `WeightStore`."""
    from fjax.processes.checksums import checksum

    train_state = weights.train_state
    position = [int(train_state.step), int(train_state.epoch)]
    key = np.asarray(jax.random.key_data(train_state.key)).tolist()
    return {
        "the seed of the model": weights.seed,
        "the random key of the model": key,
        "the steps and epochs that the model has made": position,
        "the weights": checksum((train_state.params, train_state.state)),
    }


def _check_complete(placement: Placement, count: int) -> None:
    if placement.process_count != count:
        raise ValueError(
            f"The mesh has devices of {placement.process_count} of the {count} processes: a mesh "
            "has devices of all processes, or of one alone."
        )


def _difference(topic: str, name: str, values: list[Any]) -> str:
    name, values = _innermost(name, values)
    lines = "".join(f"\n  process {number}: {value}" for number, value in enumerate(values))
    return (
        f"{topic}: the processes differ in {name}. Each process must run the same program with the "
        f"same model, arguments and arrays, of which it takes its own rows.{lines}"
    )


def _innermost(name: str, values: list[Any]) -> tuple[str, list[Any]]:
    """Return the first part of nested data that differs, and its name."""
    if all(isinstance(value, dict) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        parts = [(f"{name}, {key!r}", [value.get(key) for value in values]) for key in keys]
    elif all(isinstance(value, list) for value in values) and len({*map(len, values)}) == 1:
        parts = [(name, list(part)) for part in zip(*values, strict=True)]
    else:
        return name, values
    for inner_name, inner in parts:
        if any(each != inner[0] for each in inner):
            return _innermost(inner_name, inner)
    return name, values
