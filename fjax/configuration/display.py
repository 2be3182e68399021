"""A configured object as the value of a notebook's cell."""

import html
from collections.abc import Mapping

from fjax.markup import FAINT, draw_table, tag

# A longer text of a value is cut off.
MAX_LENGTH = 160


def arguments_html(name: str, given: Mapping[str, str], left_out: Mapping[str, str]) -> str:
    """Return a table of arguments as HTML, with those at their defaults folded away.

    Args:
        name: The name of the class.
        given: The texts of the arguments that differ from their defaults.
        left_out: The texts of the others.
    """
    parts = [tag("b", html.escape(name))]
    if given:
        parts.append(_table(given))
    if left_out:
        count = f"{len(left_out)} argument{'s' * (len(left_out) != 1)} with default values"
        parts.append(tag("details", tag("summary", count, style=FAINT), _table(left_out)))
    return tag("div", *parts)


def _table(values: Mapping[str, str]) -> str:
    rows = [(name, _cut(text)) for name, text in values.items()]
    return draw_table((), rows, fixed=(0, 1))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"
