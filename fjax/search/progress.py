"""The progress bar of a search."""

from typing import Any

from tqdm.auto import tqdm


class Progress:
    """A bar of epochs, shown while a search trains.

    Args:
        title: The title.
        shown: Whether the bar is shown.
    """

    def __init__(self, title: str, shown: bool) -> None:
        self._bar: Any = tqdm(desc=title, unit="epoch", disable=not shown)

    def begin(self, epochs: int, candidates: int, folds: int) -> None:
        """Show that candidates are trained in folds for so many epochs, all side by side."""
        self._bar.reset(total=epochs)
        trained = f"{candidates} candidates x {folds} folds" if candidates > 1 else f"{folds} folds"
        self._bar.set_postfix_str(f"{trained} at once")

    def on_epoch(self, epoch: int, logs: list[dict[str, float]]) -> None:
        """Show that an epoch has ended."""
        self._bar.update()

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()
