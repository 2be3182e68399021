"""The language of the process."""

import os
import sys
from typing import Any

from fjax.errors import one_of
from fjax.languages import display
from fjax.languages.catalogue import PROGRESS, Catalogue, known_languages, read_catalogue


class _Current:
    language = "en"
    catalogue: Catalogue | None = None


def language() -> str:
    """Return the language of error messages and of the progress bar, by default "en".

    >>> language()
    'en'
    """
    return _Current.language


def set_language(language: str) -> None:
    """Set the language of error messages and of the progress bar.

    An error that nothing catches is shown with its English text, as always, and below it the text
    in the language, if the catalogue has it. The messages of exceptions do not change. At the start
    of a process, the environment variable `FJAX_LANG` sets the language.

    Args:
        language: "en" for English, or "ko" for Korean.

    Raises:
        ValueError: The language is unknown; the message lists those that are known.

    >>> set_language("kr")
    Traceback (most recent call last):
        ...
    ValueError: `set_language`: `language` must be one of 'en', 'ko', received 'kr'...
    """
    one_of("set_language", "language", language, known_languages())
    _use(language)


def use_environment() -> None:
    """Set the language that the environment variable `FJAX_LANG` names, if it is set.

    Raises:
        ValueError: The language is unknown.
    """
    requested = os.environ.get("FJAX_LANG")
    if requested:
        one_of("import fjax", "FJAX_LANG", requested, known_languages())
        _use(requested)


def phrase(text: str, **values: Any) -> str:
    """Return a text of the progress bar in the language, if `sys.stdout` can write it.

    Args:
        text: The English text, with the names of the values in braces.
        values: The values.

    >>> phrase("Epoch {epoch}/{epochs}", epoch=1, epochs=5)
    'Epoch 1/5'
    """
    english = text.format(**values)
    if _Current.catalogue is None:
        return english
    translated = _Current.catalogue.translate(english, PROGRESS) or english
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return translated if _can_encode(encoding, translated) else english


def _can_encode(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _use(language: str) -> None:
    catalogue = None if language == "en" else read_catalogue(language)
    _Current.language, _Current.catalogue = language, catalogue
    if catalogue is None:
        display.remove()
    else:
        display.install(catalogue.translate)
