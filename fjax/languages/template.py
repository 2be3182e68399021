"""Templates of messages: they recognize a message, and return the values in it."""

import string
from collections.abc import Callable

# How many ways to split a message are tried.
MAX_ATTEMPTS = 500


class Template:
    """A text with names in braces, as `str.format` takes it.

    Args:
        text: The text; `{{` and `}}` are braces of the message.

    >>> template = Template("`{owner}` needs {package}: `pip install {package_name}`.")
    >>> template.match("`plot` needs pydot: `pip install pydot`.")
    {'owner': 'plot', 'package': 'pydot', 'package_name': 'pydot'}
    >>> template.match("`plot` needs a model.") is None
    True
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: list[str] = []
        # The texts before, between and after the values.
        self.literals = [""]
        for literal, name, _, _ in string.Formatter().parse(text):
            self.literals[-1] += literal
            if name is not None:
                self.names.append(name)
                self.literals.append("")

    @property
    def size(self) -> int:
        """The number of characters that are not of values."""
        return sum(map(len, self.literals))

    def match(
        self, message: str, is_known: Callable[[str, str], bool] = lambda name, value: True
    ) -> dict[str, str] | None:
        """Return the values by name if a message is of this template, else None.

        Each value ends where the literal after it occurs first, unless a later occurrence gives
        values that are all known.

        Args:
            message: The message.
            is_known: Whether a value is one that its name can have.
        """
        if not self.names:
            return {} if message == self.literals[0] else None
        first, last = self.literals[0], self.literals[-1]
        end = len(message) - len(last)
        if not message.startswith(first) or not message.endswith(last) or end < len(first):
            return None
        within = message[:end]
        values = self._split(within, len(first), is_known, [MAX_ATTEMPTS])
        if values is None:
            values = self._split(within, len(first), lambda name, value: True, [MAX_ATTEMPTS])
        return None if values is None else dict(zip(self.names, values, strict=True))

    def _split(
        self,
        message: str,
        position: int,
        is_known: Callable[[str, str], bool],
        attempts: list[int],
        index: int = 0,
    ) -> list[str] | None:
        """Return the values of the names from `index` on, which begin at `position`."""
        name, literal = self.names[index], self.literals[index + 1]
        if index == len(self.names) - 1:
            return [message[position:]] if is_known(name, message[position:]) else None
        found = message.find(literal, position)
        while found >= 0 and attempts[0]:
            attempts[0] -= 1
            value = message[position:found]
            if is_known(name, value):
                next_position = found + len(literal)
                rest = self._split(message, next_position, is_known, attempts, index + 1)
                if rest is not None:
                    return [value, *rest]
            found = message.find(literal, found + 1)
        return None
