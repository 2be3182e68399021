"""Stop a training whose loss is not finite."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fjax.callbacks.callback import Callback, Logs
from fjax.callbacks.not_finite import Chunk, explain_bad_step, find_bad_step
from fjax.errors import explain_keywords, one_of
from fjax.training import Batch, Programs, TrainState
from fjax.training.programs import copy_of


class TerminateOnNaN(Callback):
    """Stop training when the loss is NaN or infinite, and explain where that came from.

    The message names the epoch, the batch, and what was first not finite: a weight, a layer's
    outputs, or the loss itself. A sublayer is named by its path.

    Args:
        raise_error: Whether to raise an error with this message; otherwise, the message is printed
            and the training ends normally.

    Attributes:
        message: The printed message, or None.

    Raises:
        RuntimeError: After an epoch: the loss is not finite, and `raise_error` is True.
        ValueError: Before training: the run has no log `loss`.

    The cost is one copy of the train state per epoch; with a progress bar, or with batches from an
    iterable, one copy per chunk of steps that runs as one program. The loop does not stop between
    steps. If the loss is not finite after an epoch, a binary search runs the epoch again from the
    copy to find the first such batch, and calls the layers one by one on it. The weights are those
    at the end of the epoch.

    Source: Keras's page "TerminateOnNaN".

    >>> import jax.numpy as jnp
    >>> from fjax import Sequential
    >>> from fjax.layers import Dense
    >>> model = Sequential([Dense(1, name="first"), jnp.log], seed=0)
    >>> model.compile("sgd", "mse")
    >>> x = np.array([[1.0], [-1.0]])
    >>> history = model.fit(x, x, batch_size=1, verbose=0, callbacks=[TerminateOnNaN()])
    Epoch 1, batch ...: the loss is nan, training stops. Inputs and weights are finite; the first
    layer whose outputs are not is 'log', Function(function=log): they hold nan.
    """

    _added_logs = ()

    monitor = "loss"

    _advance: Callable[..., Any]

    @explain_keywords
    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = one_of("TerminateOnNaN", "raise_error", raise_error, [False, True])
        self.message: str | None = None
        self._chunks: list[Chunk] = []

    def wrap_programs(self, programs: Programs) -> Programs:
        """Return the programs of a run, with a training program whose inputs are recorded here."""
        self._advance, self._chunks = programs.advance, []
        return programs._replace(advance=self._recorded_advance)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset the message."""
        self.message = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Check the loss; if it is not finite, explain why and stop the training."""
        self._check_chunks(leave=0)
        loss = (logs or {}).get("loss", 0.0)
        if not self._chunks and np.isfinite(loss):
            return
        batch, cause = self._find_cause() if self._chunks else ("", "")
        self.message = f"Epoch {epoch + 1}{batch}: the loss is {loss}, training stops.{cause}"
        self.model.stop_training = True
        if self.raise_error:
            raise RuntimeError(self.message)
        print(self.message)

    def _recorded_advance(
        self,
        train_state: TrainState,
        constants: tuple[()],
        data: Batch,
        bounds: np.ndarray,
        is_filled: bool,
    ) -> tuple[TrainState, Any]:
        """Advance a copy of the train state, and keep the original until the loss is checked."""
        next_state, logs = self._advance(
            copy_of(train_state), constants, data, bounds, is_filled=is_filled,
        )  # fmt: skip
        chunk = Chunk(train_state, data, bounds, is_filled, logs["loss"])
        self._chunks.append(chunk)
        # The device still computes the last chunk: checking it now would wait for its loss.
        self._check_chunks(leave=1)
        return next_state, logs

    def _check_chunks(self, leave: int) -> None:
        """Drop chunks with a finite loss, except the last `leave`; stop at one that is not."""
        while len(self._chunks) > leave:
            if not np.isfinite(self._chunks[0].loss):
                self.model.stop_training = True
                return
            self._chunks.pop(0)

    def _find_cause(self) -> tuple[str, str]:
        """Return the batch and the cause, as parts of the message."""
        (chunk, *_), self._chunks = self._chunks, []
        train_state, step = find_bad_step(self._advance, chunk)
        cause = explain_bad_step(
            self.model.model_parts.architecture.network, train_state, chunk.batch(step)
        )
        return f", batch {int(train_state.batch)}", f" {cause}"
