"""The texts of the playground, and errors that the page shows in its own language."""

import functools
import json
from pathlib import Path
from typing import Any

STATIC = Path(__file__).with_name("static")

LANGUAGES = ("en", "ko")


@functools.cache
def read_texts(language: str) -> dict[str, Any]:
    """Return the texts of a language, by key.

    >>> read_texts("ko")["play"]
    '학습 시작'
    """
    texts: dict[str, Any] = json.loads((STATIC / f"text.{language}.json").read_text("utf-8"))
    return texts


class PlaygroundError(ValueError):
    """A mistake in what was asked of the playground, as one sentence.

    Args:
        code: The key of the message in the texts of each language.
        **values: The values of its placeholders.

    >>> raise PlaygroundError("layers", most=8, received=10)
    Traceback (most recent call last):
        ...
    fjax.playground.messages.PlaygroundError: A network has at most 8 hidden layers here, and ...
    """

    def __init__(self, code: str, **values: Any) -> None:
        self.code, self.values = code, values
        super().__init__(read_texts("en")["errors"][code].format(**values))
