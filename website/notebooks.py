"""`python -m website.notebooks [folder]`: the tutorials as Jupyter notebooks.

A notebook is made of its page, which is the only source: the Python blocks become cells of code,
and the text between them cells of Markdown. The printed outputs of the page are left out, because a
notebook has its own. It needs jupytext (`pip install "fjax[docs]"`).
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from website.markdown import DOCS

# A fenced block of the page, with the empty line after it.
_OUTPUT = re.compile(r"^```output\n.*?^```\n\n?", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"^<!--.*?-->\n\n?", re.MULTILINE | re.DOTALL)
# A link to another page: a notebook is used alone.
_PAGE_LINK = re.compile(r"\[([^\]]+)\]\((?![a-z]+:|#)[^)]+\)")

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def pages() -> Iterator[Path]:
    """Yield the tutorials, in all languages."""
    yield from sorted((DOCS / "tutorials").glob("[0-9]*.md"))


def notebook_name(page: Path) -> str:
    """Return the name of a page's notebook, which is beside the page on the site.

    >>> notebook_name(Path("docs/tutorials/1_first_network.ko.md"))
    '1_first_network.ko.ipynb'
    """
    return page.with_suffix(".ipynb").name


def to_notebook(text: str) -> Any:
    """Return the notebook of a page's text, as nbformat has it."""
    import jupytext

    for pattern, replacement in ((_COMMENT, ""), (_OUTPUT, ""), (_PAGE_LINK, r"\1")):
        text = pattern.sub(replacement, text)
    # Commands for a terminal stay text; jupytext would make them cells that run.
    text = text.replace("\n```bash\n", "\n```bash .noeval\n")
    notebook = jupytext.reads(text, fmt="md")
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return notebook


def write_notebooks(folder: Path) -> list[Path]:
    """Write the notebook of each tutorial into a folder, and return their paths."""
    import jupytext

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for page in pages():
        written.append(folder / notebook_name(page))
        jupytext.write(to_notebook(page.read_text("utf-8")), written[-1])
    return written


def main() -> None:
    """Write the notebooks, and print their names."""
    parser = argparse.ArgumentParser(prog="python -m website.notebooks", description=__doc__)
    parser.add_argument("folder", nargs="?", default="notebooks", type=Path)
    for path in write_notebooks(parser.parse_args().folder):
        print(path)


if __name__ == "__main__":
    main()
