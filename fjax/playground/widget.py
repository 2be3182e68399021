"""`Playground`: the playground as a widget in Jupyter, Colab, VS Code and marimo."""

from typing import Any

import anywidget
import traitlets

from fjax.playground.assets import script, styles
from fjax.playground.messages import LANGUAGES, PlaygroundError
from fjax.playground.requests import pack
from fjax.playground.server import Pages
from fjax.playground.settings import Settings


class Playground(anywidget.AnyWidget):
    """The playground as a widget: it trains in this process, and shows the page in the notebook.

    Args:
        language: "en" or "ko"; None is the language of the browser.
        **settings: What the page shows first; see `Settings`.

    Raises:
        ValueError: A setting is unknown or out of its range.

    >>> Playground(data="spiral", hidden=(8, 8)).settings["hidden"]
    [8, 8]
    """

    _esm = script()
    _css = styles()

    settings = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode("").tag(sync=True)

    def __init__(self, *, language: str | None = None, **settings: Any) -> None:
        if language is not None and language not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise PlaygroundError("choice", name="language", received=language, known=known)
        checked = Settings.from_json(settings).to_json()
        lists = {name: list(value) for name, value in checked.items() if isinstance(value, tuple)}
        self._pages = Pages()
        super().__init__(settings={**checked, **lists}, language=language or "")
        self.on_msg(self._receive)

    def _receive(self, widget: Any, content: Any, buffers: Any) -> None:
        """Answer a request of the page."""
        del widget, buffers
        answer = self._pages.answer(content.get("request"))
        self.send({"number": content.get("number")}, [pack(answer)])
