"""The catalogue: it fits the source, and each translation keeps the values of its message."""

import ast
import contextlib
import gettext
import re
import shutil
import string
import subprocess
from pathlib import Path

import pytest

import fjax
from fjax.languages.catalogue import known_languages
from fjax.languages.po_file import read_po
from fjax.languages.template import Template

ROOT = Path(fjax.__file__).parent
LOCALE = ROOT / "languages" / "locale"
LANGUAGES = [name for name in known_languages() if name != "en"]


def entries(language):
    return read_po((LOCALE / language / "LC_MESSAGES" / "fjax.po").read_text("utf-8"))


def template_of(node):
    """Return the literal texts of a string in the source, with a `None` for each value."""
    if isinstance(node, ast.JoinedStr):
        return [part.value if isinstance(part, ast.Constant) else None for part in node.values]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template_of(node.left) + template_of(node.right)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    return [None]


def literals(parts):
    """Return the texts before, between and after the values."""
    texts = [""]
    for part in parts:
        if part is None:
            texts.append("")
        else:
            texts[-1] += part
    return tuple(texts)


def templates_in(source):
    """Yield the literal texts of all strings of a file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr | ast.BinOp):
            yield literals(template_of(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield (node.value,)
            # A text that `phrase` or `str.format` fills in.
            if re.search(r"{\w+[:}]", node.value):
                with contextlib.suppress(ValueError):
                    yield tuple(Template(node.value).literals)


@pytest.mark.short
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_source_has_each_text(language):
    """A message that was changed in the source has to be translated again."""
    texts = {tuple(Template(entry.text).literals) for entry in entries(language)}
    words = {text: set(re.findall(r"\w+", " ".join(text))) for text in texts}
    for path in ROOT.rglob("*.py"):
        source = path.read_text("utf-8")
        words_of_file = set(re.findall(r"\w+", source))
        # Parsing all files would take seconds.
        if any(words[text] and words[text] <= words_of_file for text in texts):
            texts.difference_update(templates_in(source))
    assert not {text for text in texts if words[text]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_values(language):
    def values(text):
        return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)

    for entry in entries(language):
        assert set(values(entry.translation)) == set(values(entry.text)), entry.text
        assert len(values(entry.text)) == len(set(values(entry.text))), entry.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_code(language):
    """What is in backticks is code: it stays, except for words that the reader has to fill in."""
    for entry in entries(language):
        code = set(re.findall(r"`[^`]*`", entry.text))
        kept = set(re.findall(r"`[^`]*`", entry.translation))
        for each in code - kept:
            # `Sequential([layer, …])`: the words of an example are translated.
            assert any(other.split("(")[0] == each.split("(")[0] for other in kept), each


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_a_hundred_messages_and_no_text_twice(language):
    texts = [(entry.context, entry.text) for entry in entries(language)]
    assert len(texts) == len(set(texts))
    assert sum(context == "" for context, _ in texts) >= 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_gettext_accepts_the_file(language, tmp_path):
    if shutil.which("msgfmt") is None:
        pytest.skip("gettext is not installed")
    path = LOCALE / language / "LC_MESSAGES" / "fjax.po"
    command = ["msgfmt", "--check-format", "--check-domain", "-o", tmp_path / "fjax.mo", path]
    subprocess.run(command, check=True)
    with (tmp_path / "fjax.mo").open("rb") as file:
        translations = gettext.GNUTranslations(file)
    for entry in entries(language):
        read = (
            translations.pgettext(entry.context, entry.text)
            if entry.context
            else translations.gettext(entry.text)
        )
        assert read == entry.translation
