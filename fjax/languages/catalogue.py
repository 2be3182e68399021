"""The translations of one language, found by the text of a message."""

from pathlib import Path

from fjax.languages.po_file import read_po
from fjax.languages.template import Template

# The context of the words of the progress bar.
PROGRESS = "progress"


class Catalogue:
    """The translations of one language.

    Args:
        text: The content of a `.po` file. An entry without `msgctxt` translates whole messages. In
            an entry of a message, the value `{hint}` is translated by the entries with `msgctxt
            "hint"`, and so is each value by the entries of its name.

    >>> catalogue = Catalogue('''
    ... msgid "Unknown {family} {name}.{hint}"
    ... msgstr "알 수 없는 {family}: {name}.{hint}"
    ...
    ... msgctxt "hint"
    ... msgid " Did you mean `{name}`?"
    ... msgstr " 비슷한 이름: `{name}`."
    ... ''')
    >>> catalogue.translate("Unknown optimizer 'adm'. Did you mean `adam`?")
    "알 수 없는 optimizer: 'adm'. 비슷한 이름: `adam`."
    >>> catalogue.translate("Something else.") is None
    True
    """

    def __init__(self, text: str) -> None:
        self.templates: dict[str, list[tuple[Template, str]]] = {}
        for entry in read_po(text):
            of_context = self.templates.setdefault(entry.context, [])
            of_context.append((Template(entry.text), entry.translation))
        # The most specific template is tried first.
        for of_context in self.templates.values():
            of_context.sort(key=lambda item: -item[0].size)

    def translate(self, message: str, context: str = "") -> str | None:
        """Return a message in the language, or None if the catalogue does not have it."""
        for template, translation in self.templates.get(context, ()):
            values = template.match(message, self._is_known)
            if values is None:
                continue
            translated = translation.format(
                **{name: self._value(name, value) for name, value in values.items()}
            )
            # A template without words, such as "{path}: {problem}", translates only its values.
            return None if translated == message else translated
        return None

    def _is_known(self, name: str, value: str) -> bool:
        """Tell whether a value is empty, has a translation, or is of a name that has none."""
        if not value or name not in self.templates:
            return True
        return self.translate(value, name) is not None

    def _value(self, name: str, value: str) -> str:
        """Return a value of a message, translated if it is a text that the catalogue has."""
        translated = self.translate(value, name)
        if translated is None and " " in value:
            # A message within a message, as in the errors of files.
            translated = self.translate(value)
        return value if translated is None else translated


def known_languages() -> list[str]:
    """Return the names of the languages that have a catalogue, and English.

    >>> known_languages()
    ['en', 'ko']
    """
    return sorted(["en", *(path.parts[-3] for path in _LOCALE.glob("*/LC_MESSAGES/fjax.po"))])


def read_catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language other than English."""
    return Catalogue((_LOCALE / language / "LC_MESSAGES" / "fjax.po").read_text("utf-8"))


_LOCALE = Path(__file__).parent / "locale"
