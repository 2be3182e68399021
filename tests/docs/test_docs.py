"""Docs pages: their code runs, their links work, and their lists of names are complete."""

import contextlib
import doctest
import importlib
import io
import re
import sys

import pytest

import fjax
from fjax.public_names import exported_names
from website.markdown import DOCS, ROOT, anchor, blocks, headings, links
from website.reference import WITH_INHERITED, attributes, entries, public_modules
from website.translations import english_pages

# Translations have the code and the links of their English pages: `test_translations.py`.
PAGES = [*english_pages(), ROOT / "CONTRIBUTING.md"]
# The tutorials train on more data than the other pages.
RUN_PAGES = [
    pytest.param(page, marks=pytest.mark.thorough) if page.parent.name == "tutorials" else page
    for page in PAGES
]

# The classes whose methods the reference lists, in addition to the names of all modules.
CLASSES = ("fjax.Sequential", "fjax.Layer", "fjax.callbacks.Callback")


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.sampled(3, name="^")
@pytest.mark.parametrize("page", RUN_PAGES, ids=name_of)
# Pages may show older spellings.
@pytest.mark.filterwarnings("ignore:.* is an older spelling of:DeprecationWarning")
def test_code_prints_the_output_of_the_page(page, tmp_path, monkeypatch):
    """The blocks of a page share names; an `output` block holds the output of the block before."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": page.stem}
    text, printed, end = page.read_text("utf-8"), None, 0
    for block in blocks(text):
        if block.language == "python":
            # With empty lines before it, so that a traceback shows the line of the page.
            code = compile("\n" * block.line + block.text, str(page), "exec")
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                exec(code, names)
            printed, end = stream.getvalue(), block.end
        elif block.language == "output":
            between = "".join(text.splitlines()[end + 1 : block.line - 1]).strip()
            where = f"{name_of(page)}, line {block.line}"
            assert printed is not None and not between, f"{where}: output without a python block"
            options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            if not doctest.OutputChecker().check_output(block.text, printed, options):
                pytest.fail(f"{where}: the page says\n{block.text}\nand it printed\n{printed}")
            printed = None
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links(page):
    broken = []
    for target in links(page.read_text("utf-8")):
        path, _, fragment = target.partition("#")
        target_page = page.parent / path if path else page
        if not target_page.exists() or (fragment and fragment not in anchors(target_page)):
            broken.append(target)
    assert not broken


def anchors(page):
    return {anchor(title) for _, title in headings(page.read_text("utf-8"))}


def test_site_lists_every_page():
    configuration = (ROOT / "mkdocs.yml").read_text("utf-8")
    listed = set(re.findall(r"^ +- (\S+\.md|\S+/)$", configuration, re.MULTILINE))
    listed |= set(re.findall(r"^ +- \w+: (\S+/)$", configuration, re.MULTILINE))
    pages = [page.relative_to(DOCS) for page in english_pages() if page.is_relative_to(DOCS)]
    # A folder stands for its pages.
    missing = {
        page.as_posix()
        for page in pages
        if page.as_posix() not in listed and f"{page.parent.as_posix()}/" not in listed
    }
    assert not missing


def rows(page):
    """Return the rows of the table under each heading of a page, as lists of cells."""
    sections, section = {}, None
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("#"):
            section = sections.setdefault(line.lstrip("# ").strip("`"), [])
        elif line.startswith("|") and section is not None and not set(line) <= set("|-: "):
            section.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    # The first row of a table is its header.
    return {heading: cells[1:] for heading, cells in sections.items() if cells}


def test_reference_lists_the_public_names():
    expected = {name: exported_names(module) for name, module in public_modules().items()}
    for path in CLASSES:
        owner, _, name = path.rpartition(".")
        listed = dir(getattr(importlib.import_module(owner), name))
        expected[path] = {member for member in listed if not member.startswith("_")}
    listed_names = {}
    for heading, cells in rows(DOCS / "reference.md").items():
        names = [name.strip("`") for name, _ in cells]
        assert len(names) == len(set(names)), f"{heading} lists a name twice"
        assert all(text for _, text in cells), f"{heading} lists a name without a description"
        listed_names[heading] = set(names)
    assert sorted(listed_names) == sorted(expected)
    for heading, names in expected.items():
        assert sorted(listed_names[heading]) == sorted(names), heading


def test_every_public_name_is_described():
    """The site makes its reference of docstrings and of the comments above other values."""
    undescribed = [
        entry.path for module in public_modules() for entry in entries(module) if not entry.line
    ]
    for path in WITH_INHERITED:
        owner, _, name = path.rpartition(".")
        described = getattr(importlib.import_module(owner), name)
        undescribed += [entry.path for entry in attributes(described) if not entry.line]
    assert not undescribed


def test_missing_names_are_missing():
    """A name that fjax has must be removed from the list of missing names."""
    listed = " ".join(" ".join(cells) for cells in rows(DOCS / "from_keras.md")["Not there yet"])
    names = re.findall(r"`keras\.([\w.]+)`", listed)
    assert names
    existing = []
    for name in names:
        owner = fjax
        for part in name.split("."):
            owner = getattr(owner, part, None)
        if owner is not None:
            existing.append(name)
    assert not existing
