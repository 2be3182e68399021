"""The end of a training whose loss is no number any more."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fjax.callbacks.callback import Callback, Logs
from fjax.callbacks.not_finite import Chunk, cause_of, first_bad_step
from fjax.errors import explain_keywords, one_of
from fjax.training import Batch, Programs, TrainState
from fjax.training.programs import copy_of
from fjax.typing import Array


class TerminateOnNaN(Callback):
    """Stop training when the loss becomes NaN or infinite, and tell where that came from.

    It prints the epoch, the batch, and what was first not finite: a weight, a layer's outputs, or
    the loss itself. Layers within layers are named by their path.

    Args:
        raise_error: Whether to raise an error with this message, rather than to print it and end
            training in good order.

    Attributes:
        message: What was printed, None as long as all is well.

    Raises:
        RuntimeError: After an epoch: the loss is not finite, and `raise_error` is set.
        ValueError: Before training: the run logs no `loss`.

    It costs a copy of the train state for each epoch (with a progress bar, or with batches from an
    iterable, for each chunk of steps that runs as one program) and no stop between steps. When the
    loss is not finite after an epoch, the epoch is made again from the copy, in halves, to find the
    first such batch; the layers are then called one by one on it. The rest of the epoch has run on
    by then; the weights are left as they came out.

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

    # Held against the run's logs before training.
    monitor = "loss"

    _advance: Callable[..., Any]

    @explain_keywords
    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = one_of("TerminateOnNaN", "raise_error", raise_error, [False, True])
        self.message: str | None = None
        self._chunks: list[Chunk] = []

    def watched(self, programs: Programs) -> Programs:
        """Return the programs of a run, which remember here what they begin with."""
        self._advance, self._chunks = programs.advance, []
        return programs._replace(advance=self._remembering)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin with nothing to tell."""
        self.message = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the loss, and where it is not finite tell why and stop."""
        self._look(leave=0)
        loss = (logs or {}).get("loss", 0.0)
        if not self._chunks and np.isfinite(loss):
            return
        batch, cause = self._found() if self._chunks else ("", "")
        self.message = f"Epoch {epoch + 1}{batch}: the loss is {loss}, training stops.{cause}"
        self.model.stop_training = True
        if self.raise_error:
            raise RuntimeError(self.message)
        print(self.message)

    def _remembering(
        self,
        train_state: TrainState,
        data: Batch,
        order: Array | None,
        first: Any,
        last: Any,
        batch_size: int,
    ) -> tuple[TrainState, Any]:
        """Advance a copy of a run; what it began with is kept until its loss is looked at."""
        kept = train_state
        train_state, logs = self._advance(
            copy_of(kept), data, order, first, last, batch_size=batch_size
        )
        self._chunks.append(
            Chunk(kept, data, order, int(first), int(last), batch_size, logs["loss"])
        )
        # The device is at work on the last one: to look at it now would be to wait.
        self._look(leave=1)
        return train_state, logs

    def _look(self, leave: int) -> None:
        """Forget chunks with a finite loss; at another one end the epoch."""
        while len(self._chunks) > leave:
            if not np.isfinite(self._chunks[0].loss):
                self.model.stop_training = True
                return
            self._chunks.pop(0)

    def _found(self) -> tuple[str, str]:
        """Return the batch and the cause, as words of the message."""
        (chunk, *_), self._chunks = self._chunks, []
        held, step = first_bad_step(self._advance, chunk)
        cause = cause_of(self.model.network, held, chunk.batch(step))
        return f", batch {int(held.batch)}", f" {cause}"
