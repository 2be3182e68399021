"""Figures of the pages: the pictures that their code saves when the site is built.

A comment after a block asks for one, with a text for those who do not see it:

    <!-- figure: curves.png | The loss and the accuracy of each epoch -->

`python -m website.figures page.md folder` runs the blocks of a page in a folder. The pictures are
kept in `.cache/figures` until the page's code or the package changes.
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from website.markdown import DOCS, ROOT, Block, blocks
from website.translations import english_pages

CACHE = ROOT / ".cache" / "figures"

_FIGURE = re.compile(r"^<!-- figure: (\S+) \| (.+?) -->$", re.MULTILINE)
_DPI = 160


def figures(page: Path) -> list[str]:
    """Return the names of the pictures that a page shows."""
    return [name for name, _ in _FIGURE.findall(page.read_text("utf-8"))]


def insert_figures(markdown: str, folder: str) -> str:
    """Replace each comment by the picture in a folder."""
    return _FIGURE.sub(rf"![\2]({folder}/\1){{ .figure }}", markdown)


def make_all() -> Iterator[tuple[Path, Path]]:
    """Yield each page with figures, and the folder with its pictures; pages run side by side."""
    pages = [page for page in english_pages() if page.is_relative_to(DOCS) and figures(page)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(pages, pool.map(_make, pages), strict=True)


def _make(page: Path) -> Path:
    """Return the folder with the pictures of a page, after running its code if needed."""
    code = "\n".join(block.text for block in _run_blocks(page))
    key = hashlib.sha256((_package_digest() + code).encode()).hexdigest()[:16]
    folder = CACHE / f"{page.stem}-{key}"
    if not folder.is_dir():
        for outdated in CACHE.glob(f"{page.stem}-*"):
            shutil.rmtree(outdated)
        scratch = folder.with_suffix(".partial")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        environment = os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "website.figures", str(page), str(scratch)]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"the code of {page.relative_to(ROOT)} failed:\n{ran.stderr}")
        missing = [name for name in figures(page) if not (scratch / name).is_file()]
        if missing:
            raise RuntimeError(f"the code of {page.relative_to(ROOT)} saves no {missing[0]}")
        scratch.rename(folder)
    return folder


def _run_blocks(page: Path) -> list[Block]:
    """Return the Python blocks before the last figure of a page."""
    text = page.read_text("utf-8")
    end = max(match.start() for match in _FIGURE.finditer(text))
    return [block for block in blocks(text[:end]) if block.language == "python"]


@functools.cache
def _package_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "fjax").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def run(page: Path, folder: Path) -> None:
    """Run the code of a page in a folder, up to its last figure."""
    import matplotlib

    matplotlib.rcParams["savefig.dpi"] = _DPI
    names = {"__name__": page.stem}
    code = [("\n" * block.line + block.text) for block in _run_blocks(page)]
    os.chdir(folder)
    for text in code:
        exec(compile(text, str(page), "exec"), names)


if __name__ == "__main__":
    run(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
