"""The colors of a summary in a terminal that has them."""

import os
import re
import sys

# Escape sequences of terminals (ECMA-48): each switches an attribute on, the last one all off.
BOLD, FAINT, GREEN, CYAN, BLUE, RED, OFF = (
    f"\x1b[{code}m" for code in (1, 2, 32, 36, 34, 31, 0)
)  # fmt: skip

_NUMBER = re.compile(r"(?<![\w.])[\d,]*\d(?:\.\d+)?(?![\w.])")
_KIND = re.compile(r"\(\w+\)")
_SHAPE = re.compile(r"None|\d+")


def has_colors() -> bool:
    """Return whether standard output shows colors.

    `NO_COLOR` turns colors off and `FORCE_COLOR` on, whatever the output is.

    Source: https://no-color.org and https://force-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def color_summary(text: str) -> str:
    """Return a summary with escape sequences; without them it is the same text.

    >>> color_summary(" Total params: 12 (48.00 B)") == (
    ...     f" Total params: {GREEN}12{OFF} ({GREEN}48.00{OFF} B)")
    True
    """
    return "\n".join(map(_color_line, text.split("\n")))


def _color_line(line: str) -> str:
    if line.startswith("Model: "):
        return f"{BOLD}{line}{OFF}"
    if line.startswith("┃"):
        return "┃".join(f"{BOLD}{cell}{OFF}" if cell.strip() else cell for cell in line.split("┃"))
    if line.startswith("│"):
        return "│".join(map(_color_cell, range(-1, line.count("│")), line.split("│")))
    if line.startswith(" "):
        return _NUMBER.sub(rf"{GREEN}\g<0>{OFF}", line)
    return line


def _color_cell(column: int, cell: str) -> str:
    """Return a cell of the table; column 0 has the layer, 1 its shape, 2 its parameters."""
    if column == 0:
        return _KIND.sub(rf"{BLUE}\g<0>{OFF}", cell)
    if column == 1:
        return _SHAPE.sub(lambda m: f"{CYAN if m[0] == 'None' else GREEN}{m[0]}{OFF}", cell)
    if column == 2:
        return _NUMBER.sub(rf"{GREEN}\g<0>{OFF}", cell)
    if cell.strip() in ("Y", "N"):
        return cell.replace(cell.strip(), f"{GREEN if 'Y' in cell else RED}{cell.strip()}{OFF}")
    return f"{FAINT}{cell}{OFF}" if cell.strip() else cell
