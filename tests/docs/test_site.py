"""What the site is made of, without MkDocs: the reference, figures, the gallery, anchors."""

import pytest

import fjax
from website import figures, gallery, reference
from website.markdown import ROOT, anchors, translate_anchors
from website.translations import english_pages

WITH_FIGURES = [page for page in english_pages() if figures.figures(page)]


@pytest.mark.parametrize("page", WITH_FIGURES, ids=lambda page: page.name)
def test_code_of_a_page_saves_its_figures(page):
    code = "\n".join(block.text for block in figures.run_blocks(page))
    missing = [name for name in figures.figures(page) if f'"{name}"' not in code]
    assert WITH_FIGURES and not missing


def test_pages_run_in_a_folder_and_figures_are_inserted(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n```python\nfrom pathlib import Path\n```\n\n"
        "```python\nPath('a.png').write_text('a')\n```\n\n<!-- figure: a.png | A picture -->\n\n"
        "```python\nPath('b.png').write_text('b')\n```\n",
        "utf-8",
    )
    assert figures.figures(page) == ["a.png"]
    assert len(figures.run_blocks(page)) == 2
    inserted = figures.insert_figures(page.read_text("utf-8"), "figures/page")
    assert "![A picture](figures/page/a.png){ .figure }" in inserted and "<!--" not in inserted


def test_objects_are_documented_once_and_where_they_are_defined():
    pages = reference.pages()
    assert "::: fjax.layers.Dense\n" in pages["reference/layers.md"]
    assert "| [`Layer`](../reference/core.md#fjax.core.Layer) |" in pages["reference/fjax.md"]
    assert (
        "[`swish`](#fjax.activations.silu) | Another name of `silu`."
        in (pages["reference/activations.md"])
    )
    documented = [
        line for page in pages.values() for line in page.splitlines() if line.startswith("::: ")
    ]
    assert len(documented) == len(set(documented))
    # Each object of each module, and each module.
    objects = {
        id(entry.value)
        for module in reference.public_modules()
        for entry in reference.entries(module)
        if callable(entry.value) and getattr(entry.value, "__doc__", None)
    }
    assert len(objects) <= len(documented) <= len(objects) + len(reference.public_modules())


def test_other_values_are_described_by_the_comment_above():
    lines = {entry.name: entry.line for entry in reference.entries("fjax.datasets.reuters")}
    assert lines["LABEL_NAMES"] == "The names of the topics, by number."
    lines = {entry.name: entry.line for entry in reference.attributes(fjax.Layer)}
    assert lines["casting"].startswith("How `apply_layer` casts")
    assert lines["width_field"] == "The field that is the width of the outputs."
    assert "apply" not in lines and "weights" not in lines


def test_the_gallery_has_every_example():
    pages = gallery.pages()
    names = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert set(pages) == {f"examples/{name}.md" for name in {*names, "index"}}
    assert all(f"]({name}.md)" in pages["examples/index.md"] for name in names)
    assert "def main(" in pages["examples/digits.md"]


def test_translated_headings_have_the_english_anchors():
    english = "# Title\n\n## A `b` c!\n\n```bash\n# no heading\n```\n\n## Again\n\n## Again\n"
    assert anchors(english) == ["title", "a-b-c", "again", "again_1"]
    translated = english.replace("Title", "제목").replace("Again", "다시").replace("A `b` c!", "가")
    assert translate_anchors(translated, english) == (
        "# 제목 { #title }\n\n## 가 { #a-b-c }\n\n```bash\n# no heading\n```\n\n"
        "## 다시 { #again }\n\n## 다시 { #again_1 }\n"
    )
