"""Model files, saved while a model is trained."""

import os
from typing import Any

from fjax.callbacks.callback import Logs
from fjax.callbacks.monitor import MonitorCallback
from fjax.errors import explain_keywords, integer_at_least, number_between, one_of, suggestion
from fjax.languages import phrase
from fjax.storage.background import BackgroundTask


class ModelCheckpoint(MonitorCallback):
    """Save the model to a file after each epoch, or only when a log has improved.

    Each file is written atomically. `fjax.models.load_model` loads it; with `save_weights_only`,
    `Model.load_weights` does. To resume an interrupted run exactly, use `BackupAndRestore`.

    Args:
        filepath: The file. It may contain `{epoch}` (from 1), `{batch}` (from 1) and the names of
            logs, which are replaced by their values, as in
            "model-{epoch:02d}-{val_loss:.2f}.fjax". With the extension ".orbax" it is a folder, to
            which each device writes its own part of the weights, while training continues.
        monitor: The log that decides which model is the best.
        verbose: 1 prints a line for each saved file, 0 prints nothing.
        save_best_only: Whether to save only when the log is better than ever before.
        save_weights_only: Whether to save only the weights.
        mode: "min" if a smaller log is better, "max" if a larger one is, "auto" to ask the metric.
        save_freq: "epoch", or the number of batches after which to save. With a number, the logs
            are those of the epoch so far, and the training makes one step at a time.
        initial_value_threshold: The first saved model must be better than this.

    Attributes:
        best: The best value so far; None before the first one.

    Raises:
        ValueError: An argument is invalid; or, before training, the log does not exist or its
            direction is unknown.
        KeyError: `filepath` contains a name that is not logged.

    Source: Keras's page "ModelCheckpoint".

    >>> import tempfile, numpy as np
    >>> from fjax import Sequential
    >>> from fjax.layers import Dense
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = ModelCheckpoint(folder + "/{epoch}.fjax", monitor="loss")
    ...     _ = model.fit(np.ones((8, 2)), np.ones(8), epochs=2, verbose=0, callbacks=checkpoint)
    ...     sorted(os.listdir(folder))
    ['1.fjax', '2.fjax']
    """

    _added_logs = ()
    needs_one_model = True

    best: float | None
    batches: int

    @explain_keywords
    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        owner = type(self).__name__
        if initial_value_threshold is not None:
            initial_value_threshold = number_between(
                owner, "initial_value_threshold", initial_value_threshold, -float("inf")
            )
        self.initial_value_threshold = initial_value_threshold
        super().__init__(monitor, mode, 0.0, verbose)
        self.filepath = os.fspath(filepath)
        self.save_best_only = one_of(owner, "save_best_only", save_best_only, [False, True])
        self.save_weights_only = one_of(
            owner, "save_weights_only", save_weights_only, [False, True]
        )
        self.save_freq = save_freq
        if save_freq != "epoch":
            self.save_freq = integer_at_least(owner, "save_freq", save_freq, 1)
            # Defined only here, because a batch hook makes the training stop at each step.
            self.on_train_batch_end = self._count_batch  # type: ignore[method-assign]
        self._epoch = 0
        self._writing: BackgroundTask | None = None
        if not save_best_only:
            # Without a monitored log, none needs to exist.
            self.monitor = None  # type: ignore[assignment]

    def first_state(self) -> dict[str, Any]:
        """Return the state at the start of a training."""
        return {"best": self.initial_value_threshold, "batches": 0}

    def prepare(self, directions: Any) -> None:
        """Check the monitored log, if there is one."""
        if self.save_best_only:
            super().prepare(directions)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Store the epoch, which the file name may contain."""
        self._epoch = epoch

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Store the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save the model, unless `save_freq` counts batches."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Wait until the last model is written."""
        super().on_train_end(logs)
        self._finish_writing()

    def _finish_writing(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.wait()

    def _count_batch(self, batch: int, logs: Logs | None = None) -> None:
        self.batches += 1
        if self.batches >= self.save_freq:
            self.batches = 0
            self._save(self._epoch, batch, logs)

    def _save(self, epoch: int, batch: int | None, logs: Logs | None) -> None:
        if self.save_best_only:
            value = self.monitored(logs)
            if value is None or not self.is_better(value, self.best):
                return
            self.best = value
        path = self._format_path(epoch, batch, logs or {})
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self._finish_writing()
        if path.endswith(".orbax"):
            self._writing = self.model.async_save(path, weights_only=self.save_weights_only)
        elif self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(phrase("Epoch {epoch}: saved the model to {path}.", epoch=epoch + 1, path=path))

    def _format_path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        values = {**logs, "epoch": epoch + 1}
        if batch is not None:
            values["batch"] = batch + 1
        try:
            return self.filepath.format(**values)
        except KeyError as error:
            name = str(error.args[0])
            raise KeyError(
                f"`ModelCheckpoint`: `filepath` {self.filepath!r} contains {name!r}, which is not "
                f"logged.{suggestion(name, values)} It may contain: {', '.join(values)}."
            ) from None
