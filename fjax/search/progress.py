"""The progress of a search, as one bar."""

from types import TracebackType
from typing import Any, Self

from tqdm.auto import tqdm


class Progress:
    """A bar of epochs, shown while a search trains.

    Args:
        owner: Its title.
        shown: Whether there is one.
    """

    def __init__(self, owner: str, shown: bool) -> None:
        self._bar: Any = tqdm(desc=owner, unit="epoch", disable=not shown)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def begin(self, epochs: int, candidates: int, folds: int) -> None:
        """Show that so many epochs are to be made, of candidates in folds side by side."""
        self._bar.reset(total=epochs)
        trained = f"{candidates} candidates x {folds} folds" if candidates > 1 else f"{folds} folds"
        self._bar.set_postfix_str(f"{trained} at once")

    def made(self, epoch: int, logs: list[dict[str, float]]) -> None:
        """Show that an epoch is made."""
        self._bar.update()
