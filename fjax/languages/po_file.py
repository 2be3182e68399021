"""Read a catalogue in gettext's text format, `.po`."""

import ast
from typing import NamedTuple

_KEYWORDS = ("msgctxt", "msgid", "msgstr")


class Entry(NamedTuple):
    """One translated text.

    Attributes:
        context: Where the text occurs; "" for a whole message.
        text: The English text.
        translation: The text in the language of the catalogue.
    """

    context: str
    text: str
    translation: str


def read_po(text: str) -> list[Entry]:
    r"""Return the entries of a catalogue, without its header and what is not translated yet.

    Args:
        text: The content of a `.po` file. It has no plural forms.

    Raises:
        ValueError: A line is not understood; the message has its number.

    Source: the chapter "The Format of PO Files" of the manual of GNU gettext.

    >>> read_po('#: bar.py\nmsgctxt "bar"\nmsgid "Epoch {epoch}"\nmsgstr ""\n"에포크 {epoch}"\n')
    [Entry(context='bar', text='Epoch {epoch}', translation='에포크 {epoch}')]
    """
    entries: list[Entry] = []
    fields: dict[str, str] = {}
    keyword, is_fuzzy = "", False
    # The empty line at the end completes the last entry.
    for number, line in enumerate([*text.splitlines(), ""], 1):
        begins_entry = line.startswith(("#", "msgctxt")) or (
            line.startswith("msgid") and "msgid" in fields
        )
        if "msgstr" in fields and (not line or begins_entry):
            if fields["msgid"] and fields["msgstr"] and not is_fuzzy:
                context = fields.get("msgctxt", "")
                entries.append(Entry(context, fields["msgid"], fields["msgstr"]))
            fields, keyword, is_fuzzy = {}, "", False
        if line.startswith("#,"):
            is_fuzzy = is_fuzzy or "fuzzy" in line
        if not line.strip() or line.startswith("#"):
            continue
        word, quote, rest = line.partition('"')
        if word.strip() in _KEYWORDS:
            keyword = word.strip()
            fields[keyword] = ""
        elif word or not keyword:
            raise ValueError(f"line {number} is not of a catalogue: {line!r}.")
        try:
            # The escapes of C that gettext writes are those of Python.
            fields[keyword] += ast.literal_eval(quote + rest)
        except (SyntaxError, ValueError, TypeError):
            raise ValueError(f"line {number} does not end in a quoted text: {line!r}.") from None
    return entries
