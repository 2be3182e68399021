"""A program that a test kills: the loop over a folder of trials, which tells of each epoch.

It takes the folder, the epochs of a trial, and after how many of all trials together it kills
itself, 0 for never.
"""

import functools
import importlib.util
import os
import signal
import sys
from pathlib import Path

import fjax


class Telling(fjax.callbacks.Callback):
    """Tells the number of each epoch, and kills the process after the last that it may make."""

    def __init__(self, last):
        super().__init__()
        self.made, self.last = 0, last

    def on_train_begin(self, logs=None):
        print("trial", flush=True)

    def on_epoch_end(self, epoch, logs=None):
        self.made += 1
        print(epoch, flush=True)
        if self.made == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder, epochs, last):
    place = Path(__file__).parents[2] / "examples" / "trial_folder.py"
    spec = importlib.util.spec_from_file_location("trial_folder", place)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    telling, fit = Telling(last), fjax.Sequential.fit
    fjax.Sequential.fit = functools.partialmethod(fit, callbacks=telling)
    example.UNITS = (16,)
    example.main(epochs, folder)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
