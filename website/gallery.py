"""The gallery of examples: a page for each, with its program and the pictures that it makes.

`python -m website.gallery` runs the examples that save pictures, and puts these, made small, into
`docs/gallery/`. Given names of examples, it runs only those.
"""

import argparse
import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from website.markdown import DOCS, ROOT

EXAMPLES = ROOT / "examples"
PICTURES = DOCS / "gallery"

_WIDTH = 900
_INTRODUCTION = (
    "Complete programs, from the folder `examples/`: run one with `python examples/digits.py`, and "
    "see its arguments with `--help`."
)


def example_names() -> list[str]:
    """Return the names of the examples, those that make pictures first."""
    names = sorted(path.stem for path in EXAMPLES.glob("*.py"))
    return sorted(names, key=lambda name: not pictures(name))


def pictures(name: str) -> list[Path]:
    """Return the pictures of an example, in the order of their names."""
    return sorted(PICTURES.glob(f"{name}-*.png"))


def pages() -> dict[str, str]:
    """Return the text of the gallery and of the page of each example, by file, in Markdown."""
    result = {"examples/index.md": _gallery()}
    return result | {f"examples/{name}.md": _page(name) for name in example_names()}


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _docstring(name: str) -> str:
    source = (EXAMPLES / f"{name}.py").read_text("utf-8")
    return ast.get_docstring(ast.parse(source)) or ""


def _gallery() -> str:
    cards = ["# Examples", _INTRODUCTION, '<div class="grid cards gallery" markdown>']
    for name in example_names():
        sentence = " ".join(_docstring(name).partition("\n\n")[0].split())
        lines = [f"-   **[{_title(name)}]({name}.md)**", "", f"    {sentence}"]
        for picture in pictures(name)[:1]:
            lines[1:1] = ["", f"    [![{sentence}](../gallery/{picture.name})]({name}.md)"]
        cards.append("\n".join(lines))
    return "\n\n".join([*cards, "</div>"]) + "\n"


def _page(name: str) -> str:
    source = (EXAMPLES / f"{name}.py").read_text("utf-8")
    images = [f"![{picture.stem}](../gallery/{picture.name})" for picture in pictures(name)]
    command = f"```bash\npython examples/{name}.py\n```"
    program = f'```python title="examples/{name}.py"\n{source}```'
    return "\n\n".join([f"# {_title(name)}", _docstring(name), *images, command, program]) + "\n"


def make_pictures(name: str) -> None:
    """Run an example, and keep the pictures that it saves in its folder."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
        subprocess.run(
            [sys.executable, EXAMPLES / f"{name}.py"], cwd=folder, env=environment, check=True
        )
        for old in pictures(name):
            old.unlink()
        PICTURES.mkdir(exist_ok=True)
        for saved in sorted(Path(folder).glob("*.png")):
            image = Image.open(saved).convert("RGB")
            image.thumbnail((_WIDTH, _WIDTH), Image.Resampling.LANCZOS)
            small = image.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            small.save(PICTURES / f"{name}-{saved.stem}.png", optimize=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the pictures of the examples that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m website.gallery", description=__doc__)
    drawing = [
        path.stem for path in sorted(EXAMPLES.glob("*.py")) if ".png" in path.read_text("utf-8")
    ]
    parser.add_argument("names", nargs="*", help=f"of {', '.join(drawing)}")
    names = parser.parse_args(arguments).names
    if unknown := set(names) - set(drawing):
        parser.error(f"{sorted(unknown)} save no pictures; these do: {drawing}")
    for name in names or drawing:
        make_pictures(name)


if __name__ == "__main__":
    main()
