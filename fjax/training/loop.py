"""The host's loop: which steps the device makes next, and who hears of them."""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from fjax.training.accumulators import Logs
from fjax.training.batch import Batch, Source, Window
from fjax.training.interrupts import is_donated, uninterrupted
from fjax.training.programs import Programs
from fjax.training.state import TrainState
from fjax.typing import PyTree


class Holder(Protocol):
    """Whoever keeps the train state between two chunks; the facade's model is one."""

    train_state: TrainState


class Listener(Protocol):
    """Who hears of steps while they are made.

    Attributes:
        needs_each_step: Whether every single step must be told.
        shows_progress: Whether it wants to hear about ten times a second.
    """

    needs_each_step: bool
    shows_progress: bool

    def longest_chunk(self) -> int | None:
        """Return how many steps it lets pass unheard; None for any number."""

    def on_step_begin(self, step: int) -> None:
        """Hear that a chunk begins with this step of the epoch."""

    def on_step_end(self, step: int, logs: Logs) -> bool:
        """Hear that the steps up to this one are made; True stops the epoch."""


class ChunkScheduler:
    """How many steps the next chunk has.

    All that are left when nobody listens, one when every step is heard, and for a progress bar as
    many as take a tenth of a second. The length of chunks never changes a bit of the result.
    """

    interval = 0.1

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._length = 1
        self._timed = False

    def chunk(self, left: int) -> int:
        """Return the length of the next chunk, at most what is left."""
        if self._listener.needs_each_step:
            return 1
        left = min(left, self._listener.longest_chunk() or left)
        return min(left, self._length) if self._listener.shows_progress else left

    def made(self, steps: int, seconds: float) -> None:
        """Learn from a chunk; the very first also compiled and tells nothing."""
        if self._timed:
            wanted = steps * self.interval / max(seconds, 1e-6)
            self._length = int(max(1, min(wanted, 8 * steps)))
        self._timed = True


def run_epoch(
    holder: Holder,
    programs: Programs,
    source: Source,
    epoch: int,
    listener: Listener,
    pace: ChunkScheduler,
) -> Logs:
    """Advance the holder's train state by one epoch, and return its logs, still on the device."""
    step = int(holder.train_state.batch)
    sums = jax.tree.structure(holder.train_state.accumulators)
    logs: Logs = {}
    for window in source.windows(epoch, step):
        for first, last in _chunks(window, pace):
            listener.on_step_begin(step)
            if listener.needs_each_step:
                _check_sums(sums, holder.train_state)
            begun = time.perf_counter()
            with uninterrupted(holder.train_state):
                holder.train_state, logs = _advance(
                    programs, holder.train_state, window, first, last
                )
            _time(pace, listener, last - first, begun, last < window.last, logs)
            step += last - first
            if listener.on_step_end(step - 1, logs):
                return logs
    return logs


def evaluate(
    programs: Programs,
    train_state: TrainState,
    accumulators: PyTree,
    source: Source,
    listener: Listener,
) -> Logs:
    """Return the loss and metrics over one epoch of the source, still on the device."""
    step = 0
    logs: Logs = {}
    pace = ChunkScheduler(listener)
    for window in source.windows(0):
        for first, last in _chunks(window, pace):
            listener.on_step_begin(step)
            begun = time.perf_counter()
            accumulators, logs = programs.measure(
                accumulators,
                train_state,
                window.data,
                np.int32(first),
                np.int32(last),
                batch_size=window.batch_size,
            )
            _time(pace, listener, last - first, begun, last < window.last, logs)
            step += last - first
            if listener.on_step_end(step - 1, logs):
                return logs
    return logs


def predict(
    programs: Programs,
    train_state: TrainState,
    outputs: Callable[[Batch], PyTree],
    source: Source,
    listener: Listener,
) -> list[PyTree]:
    """Return the outputs for each window of the source, as numpy arrays.

    Args:
        programs: The compiled programs.
        train_state: Whose params and state to use, and whose key where a layer draws.
        outputs: Makes the empty outputs for some data.
        source: The inputs.
        listener: Hears of the steps.
    """
    step = 0
    parts = []
    pace = ChunkScheduler(listener)
    for window in source.windows(0):
        filled = outputs(window.data)
        for first, last in _chunks(window, pace):
            listener.on_step_begin(step)
            begun = time.perf_counter()
            filled = programs.predict(
                filled,
                train_state.params,
                train_state.state,
                train_state.key,
                window.data,
                np.int32(first),
                np.int32(last),
                batch_size=window.batch_size,
            )
            _time(pace, listener, last - first, begun, last < window.last, filled)
            step += last - first
            if listener.needs_each_step:
                # The next step is given these outputs to write into: a hook gets its own.
                listener.on_step_end(step - 1, {"outputs": jax.tree.map(jnp.copy, filled)})
            elif listener.shows_progress:
                listener.on_step_end(step - 1, {})
        stop = window.last * window.batch_size
        # A copy: what a user gets may be written to.
        parts.append(jax.tree.map(lambda array, stop=stop: np.array(array)[:stop], filled))
    return parts


def _check_sums(expected: PyTree, train_state: TrainState) -> None:
    if jax.tree.structure(train_state.accumulators) != expected:
        raise ValueError(
            "A callback has put a train state in place whose `accumulators` are not those of this "
            "epoch: within an epoch change parts of the state, as by `model.train_state = "
            "model.train_state._replace(params=…)`."
        )


def _advance(
    programs: Programs, train_state: TrainState, window: Window, first: int, last: int
) -> tuple[TrainState, Logs]:
    try:
        return programs.advance(
            train_state,
            window.data,
            window.order,
            np.int32(first),
            np.int32(last),
            batch_size=window.batch_size,
        )
    except Exception as error:
        if is_donated(train_state.params):
            error.add_note(
                "The weights went with the step that failed on the device. Set them again, by "
                "`set_weights` or a copy of `train_state` that was taken before."
            )
        raise


def _chunks(window: Window, pace: ChunkScheduler) -> Iterator[tuple[int, int]]:
    """Return the first batch of each chunk of a window, and one past its last."""
    first = window.first
    while first < window.last:
        last = first + pace.chunk(window.last - first)
        yield first, last
        first = last


def _time(
    pace: ChunkScheduler, listener: Listener, steps: int, begun: float, more: bool, results: PyTree
) -> None:
    """Let the pace learn from a chunk, once it is made, where the next one depends on it.

    After the last chunk of a window the host goes on, as it does where nobody listens.
    """
    if more and listener.shows_progress and not listener.needs_each_step:
        jax.block_until_ready(results)
        pace.made(steps, time.perf_counter() - begun)
