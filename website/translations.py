"""`python -m website.translations`: which translated pages are missing, and which are out of date.

A translation is beside the English page, with the language before the suffix: `saving.ko.md`. Its
first line, or the first one after the front matter, says of which text it is a translation:

    <!-- translated from saving.md, sha256 0123456789abcdef -->

The number is the beginning of the SHA-256 of the English file. Given names of translations, the
command writes the present number into them.
"""

import argparse
import hashlib
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from website.markdown import DOCS, ROOT, blocks, headings, links

LANGUAGES = ("ko",)

_SUFFIX = re.compile(rf"\.({'|'.join(LANGUAGES)})\.md$")
_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n\s*", re.MULTILINE | re.DOTALL)
_SOURCE = re.compile(r"<!-- translated from (\S+), sha256 ([0-9a-f]{16}) -->\n")
# Languages whose comments begin with a `#`, and those in which sentences may be.
_COMMENTED = ("bash", "toml", "yaml")
_FREE = ("", "text")


def is_translation(page: Path) -> bool:
    """Return whether a page is a translation."""
    return _SUFFIX.search(page.name) is not None


def english_pages() -> Iterator[Path]:
    """Yield the pages that are to be translated."""
    yield ROOT / "README.md"
    for page in sorted(DOCS.rglob("*.md")):
        if not is_translation(page):
            yield page


def translations() -> Iterator[Path]:
    """Yield the translated pages that exist."""
    for page in (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))):
        if is_translation(page):
            yield page


def original(page: Path) -> Path:
    """Return the English page of a translation."""
    return page.with_name(_SUFFIX.sub(".md", page.name))


def digest(page: Path) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a file."""
    return hashlib.sha256(page.read_bytes()).hexdigest()[:16]


def problems(page: Path) -> list[str]:
    """Return what is wrong with a translation, one sentence each: [] if it is up to date."""
    english = original(page)
    if not english.is_file():
        return [f"there is no {english.name} beside it: delete the translation, or rename it"]
    ours, theirs = page.read_text("utf-8"), english.read_text("utf-8")
    found = []
    written = _SOURCE.match(ours, _start(ours))
    if written is None:
        found.append(f"its first line is not {_comment(english)}")
    elif written.groups() != (english.name, digest(english)):
        found.append(f"{english.name} has changed: translate the changes, then write the number")
    if [level for level, _ in headings(ours)] != [level for level, _ in headings(theirs)]:
        found.append("its headings have other levels, or their number differs")
    if Counter(links(ours)) != Counter(links(theirs)):
        difference = set(links(ours)) ^ set(links(theirs))
        found.append(f"its links differ: {sorted(difference) or 'some are there more often'}")
    return found + _differences_of_code(ours, theirs)


def write_digest(page: Path) -> None:
    """Write the digest of the English page into the first line of its translation."""
    text = page.read_text("utf-8")
    start = _start(text)
    written = _SOURCE.match(text, start)
    rest = text[start if written is None else written.end() :]
    page.write_text(text[:start] + _comment(original(page)) + "\n" + rest, "utf-8")


def _start(text: str) -> int:
    """Return the position of the first line after the front matter."""
    front_matter = _FRONT_MATTER.match(text)
    return 0 if front_matter is None else front_matter.end()


def _comment(english: Path) -> str:
    return f"<!-- translated from {english.name}, sha256 {digest(english)} -->"


def _differences_of_code(ours: str, theirs: str) -> list[str]:
    translated, english = blocks(ours), blocks(theirs)
    if [block.language for block in translated] != [block.language for block in english]:
        return ["its fenced blocks have other languages, or their number differs"]
    return [
        f"line {block.line}: the block differs in more than comments from line {other.line}"
        for block, other in zip(translated, english, strict=True)
        if _code(block.language, block.text) != _code(other.language, other.text)
    ]


def _code(language: str, text: str) -> object:
    """Return what must be equal in a block and its translation."""
    if language in _FREE:
        return None
    if language == "python":
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        skipped = (tokenize.COMMENT, tokenize.NL)
        return [token.string for token in tokens if token.type not in skipped]
    if language in _COMMENTED:
        text = re.sub(r"(^|\s)#.*$", "", text, flags=re.MULTILINE)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is missing or out of date, or write digests; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m website.translations", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("pages", nargs="*", type=Path, help="write their numbers")
    pages = parser.parse_args(arguments).pages
    for page in pages:
        if not is_translation(page) or not original(page).is_file():
            parser.error(
                f"{page} is not a translation of a page beside it: name it like saving.ko.md"
            )
        write_digest(page)
    for english in english_pages():
        for language in LANGUAGES:
            if not english.with_suffix(f".{language}.md").is_file():
                print(f"missing: {english.with_suffix(f'.{language}.md').relative_to(ROOT)}")
    wrong = [(page, sentence) for page in translations() for sentence in problems(page)]
    for page, sentence in wrong:
        print(f"{page.relative_to(ROOT)}: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
