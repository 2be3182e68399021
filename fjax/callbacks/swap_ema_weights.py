"""Evaluate with the moving averages of the weights."""

from typing import Any

from fjax.callbacks.callback import Logs
from fjax.callbacks.stateful import StatefulCallback
from fjax.errors import explain_keywords, one_of
from fjax.training import finalized
from fjax.typing import AveragingOptimizer, PyTree


class SwapEMAWeights(StatefulCallback):
    """Replace the model's weights by their moving averages during `evaluate` and `predict`.

    The optimizer must have `use_ema=True`. After the evaluation or prediction, the model's own
    weights are restored.

    Args:
        swap_on_epoch: Whether to also keep the averages in the model from the end of an epoch until
            the next one begins; callbacks behind this one see them in `on_epoch_end`.

    Attributes:
        weights: The model's own params while the averages replace them, or None.

    Raises:
        ValueError: Before training or evaluation: the optimizer does not average the weights.

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
    needs_one_model = True

    weights: PyTree | None

    @explain_keywords
    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = one_of("SwapEMAWeights", "swap_on_epoch", swap_on_epoch, [False, True])

    def first_state(self) -> dict[str, Any]:
        """Return the state of a model that has its own weights."""
        return {"weights": None}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Check that the optimizer averages the weights."""
        super().on_train_begin(logs)
        self._averaging_optimizer()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Drop the weights of the last step: `fit` ends with the averages."""
        super().on_train_end(logs)
        self.weights = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Restore the model's own weights."""
        self._restore()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Swap in the averages, if `swap_on_epoch`."""
        if self.swap_on_epoch:
            self._swap()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Swap in the averages."""
        self._swap()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Restore the model's own weights."""
        self._restore()

    on_predict_begin, on_predict_end = on_test_begin, on_test_end

    def _averaging_optimizer(self) -> AveragingOptimizer:
        optimizer = self.model.optimizer.optimizer
        if not isinstance(optimizer, AveragingOptimizer) or not optimizer.use_ema:
            raise ValueError(
                f"`SwapEMAWeights`: the optimizer {optimizer!r} does not average the weights: "
                "compile with `use_ema=True`, as in `fjax.optimizers.Adam(use_ema=True)`."
            )
        return optimizer

    def _swap(self) -> None:
        if self.weights is None:
            model, train_state = self.model, self.model.train_state
            optimizer = self._averaging_optimizer()
            self.weights = train_state.params
            model.train_state = finalized(
                model.model_parts.architecture.network, optimizer, train_state
            )

    def _restore(self) -> None:
        if self.weights is not None:
            params, self.weights = self.weights, None
            self.model.train_state = self.model.train_state._replace(params=params)
