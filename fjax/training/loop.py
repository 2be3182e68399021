"""The host's loop: start the steps on the device in chunks, and call the hooks between chunks."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from fjax.training.accumulators import Logs
from fjax.training.batch import Batch, Source, Window
from fjax.training.interrupts import donating
from fjax.training.programs import Programs
from fjax.training.state import TrainState
from fjax.typing import PyTree


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
) -> Logs:
    """Advance the holder's train state by one epoch, and return its logs, still on the device.

    Args:
        holder: The object with the train state.
        programs: The compiled programs.
        source: The batches.
        epoch: The number of epochs that the train state has been trained for.
        hooks: The hooks to call between chunks.
        chunks: The scheduler of chunks.
    """
    step = int(holder.train_state.batch)
    sums = jax.tree.structure(holder.train_state.accumulators)
    logs: Logs = {}
    for window in source.windows(epoch, step):
        for first, last in _chunks(window, chunks):
            hooks.on_step_begin(step)
            # A hook may have set another train state.
            train_state = holder.train_state
            if hooks.needs_each_step:
                _check_sums(sums, train_state)
            start_time = time.perf_counter()
            with donating(train_state):
                holder.train_state, logs = programs.advance(
                    train_state, (), *_chunk(window, first, last), batch_size=window.batch_size
                )
            _time(chunks, hooks, last - first, start_time, last < window.last, logs)
            step += last - first
            if hooks.on_step_end(step - 1, logs):
                return logs
    return logs


def evaluate(
    programs: Programs,
    train_state: TrainState,
    accumulators: PyTree,
    source: Source,
    hooks: StepHooks,
) -> Logs:
    """Return the loss and metrics over one epoch of the source, still on the device."""
    constants = train_state._replace(accumulators=())
    step = 0
    logs: Logs = {}
    chunks = ChunkScheduler(hooks)
    for window in source.windows(0):
        for first, last in _chunks(window, chunks):
            hooks.on_step_begin(step)
            start_time = time.perf_counter()
            accumulators, logs = programs.measure(
                accumulators, constants, *_chunk(window, first, last), batch_size=window.batch_size
            )
            _time(chunks, hooks, last - first, start_time, last < window.last, logs)
            step += last - first
            if hooks.on_step_end(step - 1, logs):
                return logs
    return logs


def predict(
    programs: Programs,
    train_state: TrainState,
    outputs: Callable[[Batch], PyTree],
    source: Source,
    hooks: StepHooks,
) -> list[PyTree]:
    """Return the outputs for each window of the source, as numpy arrays.

    Args:
        programs: The compiled programs.
        train_state: The train state; its key is used where a layer draws random numbers.
        outputs: Returns the empty outputs for some data.
        source: The inputs.
        hooks: The hooks to call between chunks.
    """
    constants = (train_state.params, train_state.state, train_state.key)
    step = 0
    parts = []
    chunks = ChunkScheduler(hooks)
    for window in source.windows(0):
        filled, stops = outputs(window.data), False
        for first, last in _chunks(window, chunks):
            hooks.on_step_begin(step)
            start_time = time.perf_counter()
            filled = programs.predict(
                filled, constants, *_chunk(window, first, last), batch_size=window.batch_size
            )
            _time(chunks, hooks, last - first, start_time, last < window.last, filled)
            step += last - first
            if hooks.needs_each_step:
                # The outputs are donated to the next step: a hook gets a copy.
                stops = hooks.on_step_end(step - 1, {"outputs": jax.tree.map(jnp.copy, filled)})
            else:
                stops = hooks.on_step_end(step - 1, {})
            if stops:
                break
        end = last * window.batch_size
        # A copy: the user may write to it.
        parts.append(jax.tree.map(lambda array, end=end: np.array(array)[:end], filled))
        if stops:
            break
    return parts


def _check_sums(expected: PyTree, train_state: TrainState) -> None:
    if jax.tree.structure(train_state.accumulators) != expected:
        raise ValueError(
            "A callback has set a train state whose `accumulators` are not those of this "
            "epoch: within an epoch change parts of the state, as by `model.train_state = "
            "model.train_state._replace(params=…)`."
        )


def _chunks(window: Window, chunks: ChunkScheduler) -> Iterator[tuple[int, int]]:
    """Return the first batch of each chunk of a window, and one past its last."""
    first = window.first
    while first < window.last:
        last = first + chunks.chunk(window.last - first)
        yield first, last
        first = last


def _chunk(window: Window, first: int, last: int) -> tuple[Any, ...]:
    return window.data, window.order, np.int32(first), np.int32(last)


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
