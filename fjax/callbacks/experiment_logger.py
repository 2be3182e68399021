"""Send the logs of a run to a tracker of experiments."""

import inspect
from typing import Any

from fjax.callbacks.callback import Callback, Logs
from fjax.callbacks.lazy_logs import scalar_logs
from fjax.callbacks.learning_rates import rate_logs
from fjax.callbacks.update_freq import checked_update_freq
from fjax.errors import explain_keywords


class ExperimentLogger(Callback):
    """Send the logs of a run to a tracker of experiments, such as Weights & Biases or trackio.

    After each epoch, it calls `run.log(logs, step=step)` with a dict of numbers: `epoch/loss`,
    `epoch/val_loss`, each metric, `epoch/learning_rate`, and `epoch`, counted from 0. The step is
    the number of all steps that the model has made, so that a resumed run continues its curves.

    Args:
        run: What `wandb.init` or `trackio.init` returned, the module itself after its `init`, or
            any object with the method `log(logs, step=…)`. You create and finish it.
        update_freq: "epoch" sends logs after each epoch. "batch" also sends them after each step,
            an integer after every this many steps, as `batch/loss` and so on: means over the epoch
            so far. The loop then stops after each step, as with any batch hook.

    Raises:
        TypeError: `run` has no method `log(logs, step=…)`.
        ValueError: `update_freq` is neither a name nor a positive integer.

    >>> import numpy as np, fjax
    >>> class Printer:
    ...     def log(self, logs, step):
    ...         print(step, sorted(logs))
    >>> model = fjax.Sequential([fjax.Input((2,)), fjax.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> _ = model.fit(np.ones((8, 2)), np.ones(8), batch_size=4, epochs=2, verbose=0,
    ...     callbacks=ExperimentLogger(Printer()))
    2 ['epoch', 'epoch/learning_rate', 'epoch/loss']
    4 ['epoch', 'epoch/learning_rate', 'epoch/loss']
    """

    _added_logs = ()
    only_first_process = True

    @explain_keywords
    def __init__(self, run: Any, update_freq: Any = "epoch") -> None:
        super().__init__()
        log = getattr(run, "log", None)
        if not callable(log) or not _takes_step(log):
            raise TypeError(
                "`ExperimentLogger`: `run` must have a method `log(logs, step=…)`, as the results "
                f"of `wandb.init` and `trackio.init` have, received {run!r}."
            )
        self.run = run
        self.update_freq = checked_update_freq("ExperimentLogger", update_freq)
        if self.update_freq != "epoch":
            # A batch hook of the instance: without it, whole epochs run as one program.
            vars(self).update(on_train_batch_end=self._end_batch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Send the epoch's logs."""
        self._send("epoch", {**(logs or {}), **rate_logs(self.model)}, {"epoch": epoch})

    def _end_batch(self, batch: int, logs: Logs | None = None) -> None:
        # The hook of the class, which a subclass may override.
        type(self).on_train_batch_end(self, batch, logs)
        if self._step() % self.update_freq == 0:
            self._send("batch", logs or {}, {})

    def _send(self, part: str, logs: Logs, more: dict[str, Any]) -> None:
        numbers = {f"{part}/{name}": value for name, value in scalar_logs(logs).items()}
        self.run.log({**more, **numbers}, step=self._step())

    def _step(self) -> int:
        return int(self.model.train_state.step)


def _takes_step(log: Any) -> bool:
    """Return whether a function can be called as `log(logs, step=0)`."""
    try:
        inspect.signature(log).bind({}, step=0)
    except TypeError:
        return False
    except ValueError:  # A function in C has no signature.
        return True
    return True
