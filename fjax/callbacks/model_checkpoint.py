"""Model files that are written while a model is trained."""

import os
from typing import Any

from fjax.callbacks.callback import Logs
from fjax.callbacks.monitor import MonitorCallback
from fjax.errors import explain_keywords, integer_at_least, number_between, one_of, suggestion


class ModelCheckpoint(MonitorCallback):
    """Write the model to a file after each epoch, or when it has become better.

    Each file is written whole or not at all, and is loaded by `fjax.models.load_model`, or with
    `save_weights_only` by `load_weights`. To continue a run exactly where it was killed there is
    `BackupAndRestore`.

    Args:
        filepath: The file; `{epoch:02d}`, counted from 1, `{batch}` and the names of logs stand for
            their values, as in "model-{epoch:02d}-{val_loss:.2f}.fjax".
        monitor: The log that tells what is better.
        verbose: 1 prints what is done, 0 nothing.
        save_best_only: Whether to write only when the log has become better than ever.
        save_weights_only: Whether to write the weights alone.
        mode: "min" where less is better, "max" where more is, "auto" as the metric says of itself.
        save_freq: "epoch", or after how many batches to write; then the log is that of the epoch
            so far, and every step is made by itself.
        initial_value_threshold: What the first value must be better than.

    Attributes:
        best: The best value so far, None before the first.

    Raises:
        ValueError: An argument is impossible; or, before training, the log does not exist or its
            direction is not known.
        KeyError: `filepath` names what is no log.

    Source: Keras's page "ModelCheckpoint".

    >>> import tempfile, numpy as np
    >>> from fjax import Sequential
    >>> from fjax.layers import Dense
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keep = ModelCheckpoint(folder + "/{epoch}.fjax", monitor="loss")
    ...     _ = model.fit(np.ones((8, 2)), np.ones(8), epochs=2, verbose=0, callbacks=[keep])
    ...     sorted(os.listdir(folder))
    ['1.fjax', '2.fjax']
    """

    _added_logs = ()

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
        super().__init__(monitor, mode, 0.0)
        self.filepath = os.fspath(filepath)
        self.verbose = one_of(owner, "verbose", verbose, [0, 1, 2])
        self.save_best_only = one_of(owner, "save_best_only", save_best_only, [False, True])
        self.save_weights_only = one_of(
            owner, "save_weights_only", save_weights_only, [False, True]
        )
        self.save_freq = save_freq
        if save_freq != "epoch":
            self.save_freq = integer_at_least(owner, "save_freq", save_freq, 1)
            # Only then: whoever has this hook hears of every step.
            self.on_train_batch_end = self._count_batch  # type: ignore[method-assign]
        self._epoch = 0
        if not save_best_only:
            # Nothing is watched, so nothing needs to be logged.
            self.monitor = None  # type: ignore[assignment]

    def first_state(self) -> dict[str, Any]:
        """Return what a training begins with."""
        return {"best": self.initial_value_threshold, "batches": 0}

    def prepare(self, directions: Any) -> None:
        """Take the names of the run's logs, if one is watched."""
        if self.save_best_only:
            super().prepare(directions)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the epoch, which the file's name may tell."""
        self._epoch = epoch

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Remember the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the model, if it is time."""
        if self.save_freq == "epoch":
            self._write(epoch, None, logs)

    def _count_batch(self, batch: int, logs: Logs | None = None) -> None:
        self.batches += 1
        if self.batches >= self.save_freq:
            self.batches = 0
            self._write(self._epoch, batch, logs)

    def _write(self, epoch: int, batch: int | None, logs: Logs | None) -> None:
        if self.save_best_only:
            value = self.monitored(logs)
            if value is None or not self.is_better(value, self.best):
                return
            self.best = value
        path = self._path(epoch, batch, logs or {})
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(f"Epoch {epoch + 1}: the model is in {path}.")

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        known = {**logs, "epoch": epoch + 1}
        if batch is not None:
            known["batch"] = batch + 1
        try:
            return self.filepath.format(**known)
        except KeyError as error:
            name = str(error.args[0])
            raise KeyError(
                f"`ModelCheckpoint`: `filepath` {self.filepath!r} names {name!r}, which is not "
                f"logged.{suggestion(name, known)} It may name: {', '.join(known)}."
            ) from None
