"""The base of callbacks: every hook, each doing nothing."""

from collections.abc import Mapping
from typing import Any, ClassVar

Logs = Mapping[str, Any]


class Callback:
    """Base class of callbacks: override the hooks that matter.

    Attributes:
        model: The model that is trained, evaluated or used; its `train_state` may be replaced, and
            `model.stop_training = True` ends the training after the current step or epoch.
        params: `{"verbose": …, "epochs": …, "steps": …}`.

    `logs` holds the numbers so far, by name. In a batch hook they are fetched from the device when
    they are read, not before; a callback with a batch hook makes the loop stop at every step.

    Source: Keras's page "Base Callback class".

    >>> class Losses(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"{epoch}: {logs['loss']:.2f}")
    >>> Losses().on_epoch_end(0, {"loss": 0.5})
    0: 0.50
    """

    # What a class is known to add to an epoch's logs; None may be anything. It is not inherited.
    _added_logs: ClassVar[tuple[str, ...] | None] = None

    model: Any = None
    params: Mapping[str, Any]

    def __init__(self) -> None:
        self.params = {}

    def set_model(self, model: Any) -> None:
        """Take the model, before the first hook."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Take what the run's length is, before the first hook."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """Return what the callback remembers, so that another one may go on in its place.

        It is made of numbers, strings, None, lists and dicts, and of numpy or JAX arrays. A
        callback that remembers nothing returns `{}`.
        """
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take what `get_state` returned: this training, or the next one, goes on from it.

        Raises:
            ValueError: The callback remembers nothing, and is given something.
        """
        if state:
            raise ValueError(
                f"`{type(self).__name__}` remembers nothing, and was given a state with "
                f"{', '.join(map(repr, state))}. A callback that has something to remember "
                "defines `get_state` and `set_state`."
            )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Hear that `fit` begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Hear that `fit` ends."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Hear that an epoch of `fit` begins; epochs count from 0."""

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Hear that an epoch goes on which was begun before a kill, after so many batches."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Hear that an epoch of `fit` ends, validation included."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a training step begins: the older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a training step ends: the older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a training step begins; batches count from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a training step ends."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Hear that an evaluation begins, in `evaluate` or in `fit`."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Hear that an evaluation ends."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a step of an evaluation begins."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a step of an evaluation ends."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Hear that `predict` begins."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Hear that `predict` ends."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a step of `predict` begins."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a step of `predict` ends; `logs["outputs"]` holds all outputs so far."""
