"""The pages: their code runs, their links lead somewhere, and the lists of names are complete."""

import ast
import contextlib
import doctest
import importlib
import inspect
import io
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import fjax

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]

# Whose methods the reference lists, beside the names of all modules.
CLASSES = ("fjax.Sequential", "fjax.Layer", "fjax.callbacks.Callback")


class Block(NamedTuple):
    """A fenced block: its language, the lines before its first, its text, where it ends."""

    language: str
    line: int
    text: str
    end: int


def blocks(page):
    """The fenced blocks of a page, in order."""
    found, lines = [], page.read_text("utf-8").splitlines()
    number = 0
    while number < len(lines):
        if lines[number].startswith("```"):
            language, first = lines[number][3:].strip(), number + 1
            number = first
            while lines[number] != "```":
                number += 1
            found.append(Block(language, first, "\n".join(lines[first:number]) + "\n", number))
        number += 1
    return found


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.sampled(3, name="^")
@pytest.mark.parametrize("page", PAGES, ids=name_of)
# A page may show older spellings.
@pytest.mark.filterwarnings("ignore:.* is an older spelling of:DeprecationWarning")
def test_code_runs_and_prints_what_the_page_says(page, tmp_path, monkeypatch):
    """Blocks of a page share their names; an `output` block holds what the one before printed."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": page.stem}
    lines, printed, end = page.read_text("utf-8").splitlines(), None, 0
    for block in blocks(page):
        if block.language == "python":
            # Empty lines before it, so that a traceback tells the line of the page.
            code = compile("\n" * block.line + block.text, str(page), "exec")
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                exec(code, names)
            printed, end = stream.getvalue(), block.end
        elif block.language == "output":
            between = "".join(lines[end + 1 : block.line - 1]).strip()
            where = f"{name_of(page)}, line {block.line}"
            assert printed is not None and not between, f"{where}: output of no python block"
            options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            if not doctest.OutputChecker().check_output(block.text, printed, options):
                pytest.fail(f"{where}: the page says\n{block.text}\nand it printed\n{printed}")
            printed = None
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


def headings(page):
    """The anchors of a page, as GitHub makes them of its headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = page.parent / path if path else page
        if not place.exists() or (anchor and anchor not in headings(place)):
            broken.append(target)
    assert not broken


def test_the_site_has_every_page():
    listed = re.findall(
        r"^  - .+: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE
    )
    assert {page.name for page in DOCS.glob("*.md")} <= set(listed)


def modules(name="fjax"):
    """The public modules, from the package downwards."""
    module = importlib.import_module(name)
    yield name, module
    for public in sorted(public_names(module)):
        if isinstance(getattr(module, public), ModuleType):
            yield from modules(f"{name}.{public}")


def public_names(module):
    """What a module defines or passes on under its own name; a leading underscore is private."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    names = set()
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names if alias.asname == alias.name}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def rows(page):
    """The rows of the tables of a page: for each heading, what stands in the cells."""
    sections, here = {}, None
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("#"):
            here = sections.setdefault(line.lstrip("# ").strip("`"), [])
        elif line.startswith("|") and here is not None and not set(line) <= set("|-: "):
            here.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    # The first row of a table is its head.
    return {heading: cells[1:] for heading, cells in sections.items() if cells}


def test_the_reference_lists_exactly_the_public_names():
    expected = {name: public_names(module) for name, module in modules()}
    for path in CLASSES:
        owner, _, name = path.rpartition(".")
        listed = dir(getattr(importlib.import_module(owner), name))
        expected[path] = {member for member in listed if not member.startswith("_")}
    found = {}
    for heading, cells in rows(DOCS / "reference.md").items():
        names = [name.strip("`") for name, _ in cells]
        assert len(names) == len(set(names)), f"{heading} lists a name twice"
        assert all(text for _, text in cells), f"{heading} lists a name without a word on it"
        found[heading] = set(names)
    assert sorted(found) == sorted(expected)
    for heading, names in expected.items():
        assert sorted(found[heading]) == sorted(names), heading


def test_what_is_said_to_be_missing_is_missing():
    """A name that has come is to leave the list of what is not there yet."""
    listed = " ".join(" ".join(cells) for cells in rows(DOCS / "from_keras.md")["Not there yet"])
    names = re.findall(r"`keras\.([\w.]+)`", listed)
    assert names
    there = []
    for name in names:
        owner = fjax
        for part in name.split("."):
            owner = getattr(owner, part, None)
        if owner is not None:
            there.append(name)
    assert not there
