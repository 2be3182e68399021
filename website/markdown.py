"""What a Markdown page consists of: fenced blocks, headings, links, figures."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block: its language, the lines before its text, the text, its last line."""

    language: str
    line: int
    text: str
    end: int


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    result, lines = [], text.splitlines()
    number = 0
    while number < len(lines):
        if lines[number].startswith("```"):
            language, first = lines[number][3:].strip(), number + 1
            number = first
            while lines[number] != "```":
                number += 1
            result.append(Block(language, first, "\n".join(lines[first:number]) + "\n", number))
        number += 1
    return result


def headings(text: str) -> list[tuple[int, str]]:
    """Return the level and the title of each heading, in order."""
    return [(len(marks), title) for marks, title in _HEADING.findall(_FENCED.sub("", text))]


def anchor(title: str) -> str:
    """Return the anchor that GitHub and the site make from the title of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def links(text: str) -> list[str]:
    """Return the targets of the links of a page that are within the project, in order."""
    targets = _LINK.findall(_FENCED.sub("", text))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> list[str]:
    """Return the anchor of each heading; a repeated one has a number, as on the site."""
    result: list[str] = []
    for _, title in headings(text):
        name, number = anchor(title), 0
        while (f"{name}_{number}" if number else name) in result:
            number += 1
        result.append(f"{name}_{number}" if number else name)
    return result


def translate_anchors(text: str, english: str) -> str:
    """Return a translated page whose headings have the anchors of the English page's headings."""
    names = iter(anchors(english))

    def with_anchor(heading: re.Match[str]) -> str:
        return f"{heading.group()} {{ #{next(names)} }}"

    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        part if part.startswith("```") else _HEADING.sub(with_anchor, part) for part in parts
    )
