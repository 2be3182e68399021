"""The record of a run's logs."""

from typing import Any

from fjax.callbacks.callback import Logs
from fjax.callbacks.stateful import StatefulCallback


class History(StatefulCallback):
    """Record the logs of each epoch; `fit` returns one.

    Attributes:
        epoch: The numbers of the epochs, from 0.
        history: The values of each log, one per epoch; `pandas.DataFrame(history.history)` is a
            table of the run.
        spread: For a run with several replicas, the standard deviations of the logs over the
            replicas, in the form of `history`, which holds their means.
        replicas: For such a run, the `history` of each replica.

    Source: Keras's page "History callback".

    >>> history = History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    _added_logs = ()

    epoch: list[int]
    history: dict[str, list[Any]]

    def __init__(self) -> None:
        super().__init__()
        self.spread: dict[str, list[Any]] = {}
        self.replicas: list[dict[str, list[Any]]] = []

    def first_state(self) -> dict[str, Any]:
        """Return an empty record."""
        return {"epoch": [], "history": {}}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start a new list of epochs, unless a state was restored."""
        if not self._continues:
            self.epoch = []
        self._continues = False

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append the epoch's logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def _repr_html_(self) -> str | None:
        """Return the curves of the run, which a notebook shows as the value of a cell."""
        if not self.epoch or not self.history:
            return None
        # Imported where a notebook asks for it, so that `import fjax` loads no markup.
        from fjax.callbacks.history_curves import history_panels
        from fjax.markup import draw_panels

        return draw_panels(history_panels(self.history, self.epoch, self.spread))
