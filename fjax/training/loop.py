"""The host's loop: start the steps on the device in chunks, and call the hooks between chunks."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import jax
import numpy as np

from fjax.training.accumulators import Logs
from fjax.training.batch import Batch, Source, Window, batches_in_window
from fjax.training.interrupts import Donations
from fjax.training.programs import Draw, Programs
from fjax.training.state import TrainState
from fjax.typing import Array, PyTree


class TrainStateHolder(Protocol):
    """Anything that keeps the train state between two chunks, such as a model's weight store."""

    train_state: TrainState


class StepHooks(Protocol):
    """Hooks that the loop calls between chunks of steps.

    Attributes:
        needs_each_step: Whether the hooks must be called for every single step.
        shows_progress: Whether the hooks must be called about ten times a second.
    """

    needs_each_step: bool
    shows_progress: bool

    def longest_chunk(self) -> int | None:
        """Return the largest number of steps between two calls; None for any number."""

    def on_step_begin(self, step: int) -> None:
        """Called before the chunk that begins with this step of the epoch."""

    def on_step_end(self, step: int, logs: Logs) -> bool:
        """Called after the chunk that ends with this step; return True to stop the epoch."""


class ChunkScheduler:
    """Chooses how many steps the next chunk has.

    Without hooks the chunk has all remaining steps; with hooks that need each step, one step; with
    a progress bar, as many steps as take a tenth of a second. The length of chunks never changes a
    bit of the result.
    """

    interval = 0.1

    def __init__(self, hooks: StepHooks) -> None:
        self._hooks = hooks
        self._length = 1
        self._timed = False

    def chunk(self, left: int) -> int:
        """Return the number of steps of the next chunk, at most `left`."""
        if self._hooks.needs_each_step:
            return 1
        left = min(left, self._hooks.longest_chunk() or left)
        return min(left, self._length) if self._hooks.shows_progress else left

    def record(self, steps: int, seconds: float) -> None:
        """Record the time of a chunk; the first one is ignored, as it includes compilation."""
        if self._timed:
            wanted = steps * self.interval / max(seconds, 1e-6)
            self._length = int(max(1, min(wanted, 8 * steps)))
        self._timed = True


def run_epoch(
    holder: TrainStateHolder,
    programs: Programs,
    source: Source,
    epoch: int,
    hooks: StepHooks,
    chunks: ChunkScheduler,
    fill: bool = False,
) -> Logs:
    """Advance the holder's train state by one epoch, and return its logs, still on the device.

    Args:
        holder: The object with the train state.
        programs: The compiled programs.
        source: The batches.
        epoch: The number of epochs that the train state has been trained for.
        hooks: The hooks to call between chunks.
        chunks: The scheduler of chunks.
        fill: Whether smaller batches may be filled; see `fjax.training.filled_batches`.
    """
    step = int(holder.train_state.batch)
    sums = jax.tree.structure(holder.train_state.accumulators)
    logs: Logs = {}
    queue = _Queue()
    with Donations() as donations:
        for window in source.windows(epoch, step, fill, _most(hooks)):
            for first, last in _chunks(window, chunks):
                hooks.on_step_begin(step)
                # A hook may have set another train state.
                train_state = holder.train_state
                if hooks.needs_each_step:
                    _check_sums(sums, train_state)
                start_time = time.perf_counter()
                with donations.of(train_state):
                    holder.train_state, logs = programs.advance(
                        train_state, (), *_part(window, first, last), **_sizes(window)
                    )
                _time(chunks, hooks, last - first, start_time, last < window.last, logs)
                step += last - first
                if hooks.on_step_end(step - 1, logs):
                    source.put_back(window.last - last)
                    return logs
            queue.add(logs)
    return logs


def evaluate(
    programs: Programs,
    train_state: TrainState,
    accumulators: PyTree,
    source: Source,
    hooks: StepHooks,
    fill: bool = False,
) -> Logs:
    """Return the loss and metrics over one epoch of the source, still on the device.

    See `run_epoch` for the arguments.
    """
    constants = train_state._replace(accumulators=())
    step = 0
    logs: Logs = {}
    chunks, queue = ChunkScheduler(hooks), _Queue()
    for window in source.windows(0, 0, fill, _most(hooks)):
        for first, last in _chunks(window, chunks):
            hooks.on_step_begin(step)
            start_time = time.perf_counter()
            accumulators, logs = programs.measure(
                accumulators, constants, *_part(window, first, last), **_sizes(window)
            )
            _time(chunks, hooks, last - first, start_time, last < window.last, logs)
            step += last - first
            if hooks.on_step_end(step - 1, logs):
                source.put_back(window.last - last)
                return logs
        queue.add(logs)
    return logs


def advance_window(holder: TrainStateHolder, programs: Programs, window: Window) -> Logs:
    """Advance the holder's train state by the batches of one window, and return their logs.

    See `run_epoch` for the arguments.
    """
    train_state = holder.train_state
    with Donations() as donations, donations.of(train_state):
        holder.train_state, logs = programs.advance(
            train_state, (), *_part(window, window.first, window.last), **_sizes(window)
        )
    return logs


def measure_window(
    programs: Programs, train_state: TrainState, accumulators: PyTree, window: Window
) -> Logs:
    """Return the loss and metrics over one window; see `evaluate` for the arguments."""
    _, logs = programs.measure(
        accumulators, train_state._replace(accumulators=()),
        *_part(window, window.first, window.last), **_sizes(window),
    )  # fmt: skip
    return logs


def predict(
    programs: Programs,
    constants: tuple[PyTree, PyTree, Draw],
    outputs: Callable[[tuple[PyTree, ...]], PyTree],
    source: Source,
    hooks: StepHooks,
    fill: bool = False,
) -> list[PyTree]:
    """Return the outputs for the batches of the source, as numpy arrays, which may be read-only.

    Args:
        programs: The compiled programs.
        constants: The params, the state, and what identifies the random numbers.
        outputs: Returns the shapes of the outputs for inputs; only their batch size may differ.
        source: The inputs.
        hooks: The hooks to call between chunks.
        fill: Whether smaller batches may be filled.
    """
    step = 0
    parts: list[PyTree] = []
    chunks, running = ChunkScheduler(hooks), deque[tuple[PyTree, int]]()
    for window in source.windows(0, 0, fill, _most(hooks)):
        inputs = jax.tree.map(_batch_spec, window.data.inputs)
        leaves, structure = jax.tree.flatten(outputs(inputs))
        most = batches_in_window(leaves, window.batch_size)
        for first, last in _chunks(window, chunks, most):
            hooks.on_step_begin(step)
            start_time = time.perf_counter()
            filled = programs.predict(
                constants, window.data, window.bounds(first, last), most=most,
                outputs=(tuple(leaves), structure),
            )  # fmt: skip
            _time(chunks, hooks, last - first, start_time, last < window.last, filled)
            step += last - first
            count = min(last * window.batch_size, window.rows) - first * window.batch_size
            running.append((filled, count))
            if len(running) > 1:
                # The device computes the next outputs meanwhile.
                parts.append(_fetch(*running.popleft()))
            if hooks.on_step_end(step - 1, _output_logs(hooks, filled, count)):
                source.put_back(window.last - last)
                return parts + [_fetch(*each) for each in running]
    return parts + [_fetch(*each) for each in running]


def _fetch(filled: PyTree, count: int) -> PyTree:
    """Return the first rows of the outputs as numpy arrays, which the user may write to."""

    def first_rows(array: Array) -> np.ndarray:
        batches = np.asarray(array)
        return np.array(batches.reshape(-1, *batches.shape[2:])[:count])

    return jax.tree.map(first_rows, filled)


def _batch_spec(array: Any) -> jax.ShapeDtypeStruct:
    """Return the shape and dtype of one batch of a window."""
    return jax.ShapeDtypeStruct(array.shape[1:], array.dtype)


def _output_logs(hooks: StepHooks, filled: PyTree, count: int) -> Logs:
    """Return the logs of a step of `predict`, which are read by batch hooks only."""
    if not hooks.needs_each_step:
        return {}
    return {"outputs": jax.tree.map(lambda array: array[0, :count], filled)}


class _Queue:
    """Lets the host be at most two windows ahead of the device, which bounds their memory."""

    def __init__(self) -> None:
        self._results: deque[PyTree] = deque()

    def add(self, results: PyTree) -> None:
        """Add the results of a window; wait until the device has finished the last but one."""
        self._results.append(results)
        if len(self._results) > 1:
            jax.block_until_ready(self._results.popleft())


def _part(window: Window, first: int, last: int) -> tuple[Batch, np.ndarray]:
    """Return the arguments of a program for some batches of a window."""
    return window.data, window.bounds(first, last)


def _sizes(window: Window) -> dict[str, Any]:
    return {"is_filled": window.is_filled}


def _most(hooks: StepHooks) -> int | None:
    """Return how many batches of a stream to read before the hooks are called."""
    return 1 if hooks.needs_each_step else None


def _check_sums(expected: PyTree, train_state: TrainState) -> None:
    if jax.tree.structure(train_state.accumulators) != expected:
        raise ValueError(
            "A callback has set a train state whose `accumulators` are not those of this "
            "epoch: within an epoch change parts of the state, as by `model.train_state = "
            "model.train_state._replace(params=…)`."
        )


def _chunks(
    window: Window, chunks: ChunkScheduler, most: int | None = None
) -> Iterator[tuple[int, int]]:
    """Return the first batch of each chunk of a window, and one past its last.

    Args:
        window: The window.
        chunks: The scheduler of chunks.
        most: The largest number of batches of a chunk; None for any number.
    """
    first = window.first
    while first < window.last:
        left = window.last - first
        last = first + chunks.chunk(left if most is None else min(left, most))
        yield first, last
        first = last


def _time(
    chunks: ChunkScheduler,
    hooks: StepHooks,
    steps: int,
    start_time: float,
    is_more: bool,
    results: PyTree,
) -> None:
    """Record the time of a chunk if the length of the next one depends on it.

    The host waits neither for the last chunk of a window nor where no progress is shown.
    """
    if is_more and hooks.shows_progress and not hooks.needs_each_step:
        jax.block_until_ready(results)
        chunks.record(steps, time.perf_counter() - start_time)
