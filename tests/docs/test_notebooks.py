"""The tutorials as notebooks: they are valid, and their cells are the code of the pages."""

import pytest

from website.markdown import blocks
from website.notebooks import pages, to_notebook, write_notebooks

jupytext = pytest.importorskip("jupytext")


@pytest.mark.parametrize("page", [*pages()], ids=lambda page: page.name)
def test_the_cells_are_the_code_of_the_page(page):
    import nbformat

    text = page.read_text("utf-8")
    notebook = to_notebook(text)
    nbformat.validate(notebook)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    code = [block.text.strip() for block in blocks(text) if block.language == "python"]
    assert cells == code
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "<!--" not in prose and ".md)" not in prose and "```output" not in prose


def test_all_tutorials_are_written(tmp_path):
    written = write_notebooks(tmp_path / "notebooks")
    assert [path.stem for path in written] == [page.stem for page in pages()]
    assert all(jupytext.read(path).cells for path in written)
