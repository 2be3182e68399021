"""Keep a run so that it can be killed at any instant and go on exactly."""

import os
from typing import Any

from fjax.callbacks.callback import Callback
from fjax.errors import integer_at_least


class BackupAndRestore(Callback):
    """Keep the whole run in a folder; the same program, started again, goes on from there.

    The run is everything: weights, optimizer, keys, epoch and batch, the sums behind the logs, what
    the callbacks remember, and the history. What goes on after a kill ends with the same bits as
    what was never interrupted. Files are written while training goes on, whole or not at all.

    It has no hooks: `fit` keeps the run when all callbacks have been called. `fit(resume=folder)`
    is the same with `delete_checkpoint=False`.

    Args:
        backup_dir: The folder; each run has its own.
        save_freq: "epoch", or after how many batches the run is kept, beside the end of each epoch.
        double_checkpoint: Accepted for Keras's sake: the file before the newest is always there.
        delete_checkpoint: Whether to remove the files when training has ended.
        keep: How many of the newest files stay.

    Raises:
        TypeError: `backup_dir` is no path.
        ValueError: `save_freq` or `keep` is none.

    Source: Keras's page "BackupAndRestore".

    >>> import tempfile, numpy as np
    >>> from fjax import Sequential
    >>> from fjax.layers import Dense, Input
    >>> def program(epochs):
    ...     model = Sequential([Input((2,)), Dense(1)], seed=0)
    ...     model.compile("adam", "mse")
    ...     backup = BackupAndRestore(folder, delete_checkpoint=False)
    ...     x, y = np.ones((8, 2)), np.ones(8)
    ...     model.fit(x, y, epochs=epochs, callbacks=backup, verbose=0)
    ...     return len(model.history.history["loss"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     program(epochs=2), program(epochs=5)
    (2, 5)
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        keep: int = 2,
    ) -> None:
        super().__init__()
        if not isinstance(backup_dir, str | os.PathLike):
            raise TypeError(
                f"`BackupAndRestore`: `backup_dir` must name a folder, received {backup_dir!r}."
            )
        self.backup_dir = backup_dir
        self.save_freq = save_freq
        if save_freq != "epoch":
            self.save_freq = integer_at_least("BackupAndRestore", "save_freq", save_freq, 1)
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.keep = integer_at_least("BackupAndRestore", "keep", keep, 1)
