"""A program that a test kills: the loop over a folder of trials, which prints each epoch.

Its arguments are the folder, the epochs of a trial, and the number of epochs of all trials after
which it kills itself, 0 for never.
"""

import functools
import importlib.util
import os
import signal
import sys
from pathlib import Path

import fjax


class PrintEpochs(fjax.callbacks.Callback):
    """Print the number of each epoch, and kill the process after the last one."""

    def __init__(self, last):
        super().__init__()
        self.count, self.last = 0, last

    def on_train_begin(self, logs=None):
        print("trial", flush=True)

    def on_epoch_end(self, epoch, logs=None):
        self.count += 1
        print(epoch, flush=True)
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder, epochs, last):
    path = Path(__file__).parents[2] / "examples" / "trial_folder.py"
    spec = importlib.util.spec_from_file_location("trial_folder", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    callback, fit = PrintEpochs(last), fjax.Sequential.fit
    fjax.Sequential.fit = functools.partialmethod(fit, callbacks=callback)
    example.UNITS = (16,)
    example.main(epochs, folder)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
