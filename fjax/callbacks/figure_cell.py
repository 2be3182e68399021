"""A figure below a cell of a notebook, which is replaced in place."""

from typing import Any


class FigureCell:
    """The place of one figure in a notebook: the first `show` adds it, the others replace it."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, markup: str, text: str) -> None:
        """Show HTML, and text where no HTML can be shown.

        Args:
            markup: The HTML.
            text: The same in short, as plain text.
        """
        data = {"text/html": markup, "text/plain": text}
        if self._handle is None:
            from IPython.display import display

            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)
