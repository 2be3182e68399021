"""The base class of callbacks."""

from collections.abc import Mapping
from typing import Any, ClassVar

Logs = Mapping[str, Any]


class Callback:
    """Base class of callbacks: override the hooks that you need.

    Attributes:
        model: The model that is trained, evaluated or used; a hook may replace its `train_state`,
            and `model.stop_training = True` ends the training after the current step or epoch, as
            `stop_evaluating` and `stop_predicting` end an evaluation and a prediction.
        params: `{"verbose": …, "epochs": …, "steps": …}`.

    `logs` maps the name of each log to its value so far. In a batch hook the values are fetched
    from the device when they are read; a callback with a batch hook makes the loop stop after every
    step.

    Source: Keras's page "Base Callback class".

    >>> class Losses(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"{epoch}: {logs['loss']:.2f}")
    >>> Losses().on_epoch_end(0, {"loss": 0.5})
    0: 0.50
    """

    # The logs that `on_epoch_end` of this very class adds, or None if unknown; a subclass may add
    # other logs.
    _added_logs: ClassVar[tuple[str, ...] | None] = None

    # Whether it only writes or shows what all processes know, so that with several processes the
    # first one alone calls it.
    only_first_process: ClassVar[bool] = False

    # Whether it saves or changes the weights of the model, so that it cannot listen to replicas.
    needs_one_model: ClassVar[bool] = False

    model: Any = None
    params: Mapping[str, Any]

    def __init__(self) -> None:
        self.params = {}

    def set_model(self, model: Any) -> None:
        """Set the model, before the first hook is called."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Set `params`, before the first hook is called."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """Return the callback's state, from which another callback of its class can continue.

        The state consists of numbers, strings, None, lists and dicts, and of NumPy or JAX arrays. A
        callback without state returns `{}`.
        """
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_state` returned; the current or next training continues from it.

        Raises:
            ValueError: The callback has no state, and the argument is not empty.
        """
        if state:
            raise ValueError(
                f"`{type(self).__name__}` has no state, and received one with "
                f"{', '.join(map(repr, state))}. A callback with state defines `get_state` and "
                "`set_state`."
            )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called when `fit` begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called when `fit` ends."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called when an epoch of `fit` begins; epochs count from 0."""

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Called instead of `on_epoch_begin` when a run resumes within an epoch, at this batch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called when an epoch of `fit` ends, after its validation."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called when a training step begins: the older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called when a training step ends: the older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called when a training step begins; batches count from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called when a training step ends."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called when an evaluation begins, in `evaluate` or in `fit`."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called when an evaluation ends."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called when an evaluation step begins."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called when an evaluation step ends."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called when `predict` begins."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called when `predict` ends."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called when a step of `predict` begins."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called when a step of `predict` ends; `logs["outputs"]` holds its outputs."""
