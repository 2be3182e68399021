"""Evaluation with the averages of the weights."""

from typing import Any

from fjax.callbacks.callback import Logs
from fjax.callbacks.stateful import StatefulCallback
from fjax.errors import explain_keywords, one_of
from fjax.training import finalized
from fjax.typing import PyTree


class SwapEMAWeights(StatefulCallback):
    """Put the averages that the optimizer keeps into the model while it is evaluated or used.

    The optimizer has `use_ema=True`. During an evaluation or a `predict` the model has the averages
    of its weights, and afterwards its own weights again.

    Args:
        swap_on_epoch: Whether the averages stay in the model from the end of an epoch, as the
            callbacks behind this one see it, to the beginning of the next.

    Attributes:
        weights: The model's own params while the averages are in their place, else None.

    Raises:
        ValueError: Before training or evaluation: the optimizer keeps no averages.

    Source: Keras's page "SwapEMAWeights".

    >>> import numpy as np
    >>> from fjax import Sequential
    >>> from fjax.layers import Dense
    >>> from fjax.optimizers import SGD
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile(SGD(0.1, use_ema=True), "mse")
    >>> x, y = np.ones((8, 2)), np.ones(8)
    >>> history = model.fit(
    ...     x, y, validation_data=(x, y), epochs=2, verbose=0, callbacks=[SwapEMAWeights()]
    ... )
    >>> len(history.history["val_loss"])
    2
    """

    _added_logs = ()

    weights: PyTree | None

    @explain_keywords
    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = one_of("SwapEMAWeights", "swap_on_epoch", swap_on_epoch, [False, True])

    def first_state(self) -> dict[str, Any]:
        """Return what a training begins with: the model has its own weights."""
        return {"weights": None}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """See whether there are averages."""
        super().on_train_begin(logs)
        self._optimizer()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Forget the weights of the last step: `fit` ended with the averages."""
        super().on_train_end(logs)
        self.weights = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Let the epoch go on from the model's own weights."""
        self._put_back()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Leave the averages in the model, if so asked."""
        if self.swap_on_epoch:
            self._put_averages()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Evaluate the averages."""
        self._put_averages()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Put the model's own weights back."""
        self._put_back()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Use the averages."""
        self._put_averages()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Put the model's own weights back."""
        self._put_back()

    def _optimizer(self) -> Any:
        optimizer = self.model.optimizer.optimizer
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                f"`SwapEMAWeights`: the optimizer {optimizer!r} keeps no averages of the weights: "
                "compile with `use_ema=True`, as in `fjax.optimizers.Adam(use_ema=True)`."
            )
        return optimizer

    def _put_averages(self) -> None:
        if self.weights is None:
            model = self.model
            held, optimizer = model.train_state, self._optimizer()
            self.weights = held.params
            model.train_state = finalized(model.network, optimizer, held)

    def _put_back(self) -> None:
        if self.weights is not None:
            own, self.weights = self.weights, None
            self.model.train_state = self.model.train_state._replace(params=own)
