"""Checkpoints of a run, so that it can be killed at any time and resumed exactly."""

import os
from typing import Any

from fjax.callbacks.callback import Callback
from fjax.errors import integer_at_least


class BackupAndRestore(Callback):
    """Write checkpoints of the run to a folder, and resume from the newest one.

    A checkpoint holds the whole run: the weights, the optimizer's state, the PRNG key, the epoch
    and batch, the sums behind the logs, the states of the callbacks, and the history. When the
    program is killed and started again, training resumes from the newest checkpoint, and ends with
    the same bits as an uninterrupted run. Checkpoints are written atomically, in the background.

    This callback has no hooks: `fit` writes the checkpoints itself, after it has called all
    callbacks. `fit(resume=folder)` does the same with `delete_checkpoint=False`. If the placement
    of the model divides weights among devices, a checkpoint is a folder that Orbax writes (`pip
    install fjax[distributed]`); otherwise it is a file.

    Args:
        backup_dir: The folder; each run needs its own.
        save_freq: "epoch", or the number of batches after which a checkpoint is written, in
            addition to the end of each epoch.
        double_checkpoint: Accepted for compatibility with Keras and ignored; `keep` decides how
            many checkpoints there are.
        delete_checkpoint: Whether to delete the checkpoints when training has ended.
        keep: The number of newest checkpoints to keep.

    Raises:
        TypeError: `backup_dir` is not a path.
        ValueError: `save_freq` or `keep` is not a positive integer.

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

    needs_one_model = True

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
                "`BackupAndRestore`: `backup_dir` must be the path of a folder, received "
                f"{backup_dir!r}."
            )
        self.backup_dir = backup_dir
        self.save_freq = save_freq
        if save_freq != "epoch":
            self.save_freq = integer_at_least("BackupAndRestore", "save_freq", save_freq, 1)
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.keep = integer_at_least("BackupAndRestore", "keep", keep, 1)
