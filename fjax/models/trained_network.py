"""A run of `fit`: epoch after epoch, with validation, callbacks, and what is kept of it."""

from typing import Any

import numpy as np

from fjax.callbacks import CallbackList, History
from fjax.callbacks.lazy_logs import to_numbers
from fjax.models.arguments import Fit, Source
from fjax.models.compiled_network import Prepared
from fjax.models.held_network import Holder
from fjax.models.kept_run import Position, kept_run
from fjax.models.stored_network import StoredNetwork
from fjax.training import evaluate, finalized, run_epoch
from fjax.training.logs import sort_logs
from fjax.training.loop import ChunkScheduler
from fjax.typing import PyTree


class TrainedNetwork(StoredNetwork):
    """A network that can be trained on sources of batches; see `Model`."""

    history: History | None
    stop_training: bool

    def _fit(
        self,
        source: Source,
        validation: Source | None,
        numbers: Fit,
        callbacks: Any,
        verbose: int,
        resume: Any,
    ) -> History:
        training = self._prepare("train_step", source)
        measuring = None if validation is None else self._prepare("test_step", validation)
        listeners = CallbackList(
            callbacks, self, verbose, epochs=numbers.epochs, steps=source.steps
        )
        measured = {} if measuring is None else measuring.directions
        validated = {f"val_{name}": direction for name, direction in measured.items()}
        listeners.check_monitors(training.directions | validated)
        programs = listeners.wrap_programs(training.programs)
        self.history = listeners.history
        self.stop_training = False
        run = kept_run(self, resume, listeners, source, validation, training.sums)
        steps = run.listening(listeners.steps("train"))
        pace = ChunkScheduler(steps)
        with run:
            kept = run.take_up()
            position = kept or Position(numbers.initial_epoch, {})
            logs, batch, self.stop_training = position.logs, position.batch, position.stopped
            listeners.call("on_train_begin", {})
            # A callback may have put another run in the place of this one.
            made = int(self.train_state.epoch)
            if kept is None:
                run.keep(position)
            for epoch in range(position.epoch, numbers.epochs):
                if self.stop_training:
                    break
                if batch:
                    listeners.call("on_epoch_resume", epoch, batch)
                else:
                    listeners.call("on_epoch_begin", epoch, {})
                holder = self._begin_epoch(made, training.sums, batch)
                on_device = run_epoch(holder, programs, source, made, steps, pace)
                logs, batch = to_numbers(on_device), 0
                if validation is not None and epoch in numbers.validation_epochs:
                    assert measuring is not None
                    values = self._evaluate(measuring, validation, listeners)
                    logs |= {f"val_{name}": value for name, value in values.items()}
                    logs = sort_logs(logs)
                made += 1
                self._end_epoch(made)
                listeners.call("on_epoch_end", epoch, logs)
                run.keep(Position(epoch + 1, logs, bool(self.stop_training)))
            if logs or self.stop_training:
                self._finalize()
            listeners.call("on_train_end", logs)
        return listeners.history

    def _begin_epoch(self, epoch: int, fresh: PyTree, batch: int = 0) -> Holder:
        held = self.train_state
        assert self._holder is not None
        if batch:
            return self._holder
        self._holder.train_state = held._replace(
            epoch=np.int32(epoch), batch=np.int32(0), accumulators=fresh
        )
        return self._holder

    def _end_epoch(self, epoch: int) -> None:
        assert self._holder is not None
        self._holder.train_state = self._holder.train_state._replace(
            epoch=np.int32(epoch), batch=np.int32(0)
        )

    def _finalize(self) -> None:
        assert self._holder is not None and self._optimizer is not None
        held = self._holder.train_state
        self._holder.train_state = finalized(self.network, self._optimizer, held)

    def _evaluate(
        self, measuring: Prepared, source: Source, listeners: CallbackList
    ) -> dict[str, Any]:
        listeners.call("on_test_begin", {})
        steps = listeners.steps("test")
        programs, sums = measuring.programs, measuring.sums
        logs = to_numbers(evaluate(programs, self.train_state, sums, source, steps))
        listeners.call("on_test_end", logs)
        return logs
