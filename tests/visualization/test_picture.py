"""plot_model: image files, and text where pydot or graphviz is missing."""

import shutil
import struct
import sys

import pytest

import fjax
from fjax.visualization import plot_model, text_drawing

pydot = pytest.importorskip("pydot")

# The parser that pydot uses warns about its own deprecated names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pydot")

needs_graphviz = pytest.mark.skipif(
    shutil.which("dot") is None, reason="graphviz's program `dot` is not on this machine"
)


@pytest.fixture
def no_graphviz(monkeypatch, tmp_path):
    """Remove all programs from the path."""
    monkeypatch.setenv("PATH", str(tmp_path))


def test_alias_in_utils():
    assert fjax.utils.plot_model is plot_model


@needs_graphviz
def test_png_and_dpi(nested, tmp_path):
    widths = []
    for dpi in (50, 100):
        plot_model(nested, tmp_path / "model.png", dpi=dpi, expand_nested=True)
        begin = (tmp_path / "model.png").read_bytes()[:24]
        assert begin.startswith(b"\x89PNG")
        widths.append(struct.unpack(">I", begin[16:20])[0])
    assert widths[1] / widths[0] == pytest.approx(2, abs=0.1)


@needs_graphviz
def test_svg(wide_and_deep, tmp_path):
    plot_model(wide_and_deep, str(tmp_path / "model.svg"), show_shapes=True, rankdir="LR")
    picture = (tmp_path / "model.svg").read_text()
    for word in ("<svg", "wide", "auxiliary", "(None, 35)"):
        assert word in picture


@needs_graphviz
def test_pdf_with_uppercase_extension(row, tmp_path):
    plot_model(row, tmp_path / "model.PDF")
    assert (tmp_path / "model.PDF").read_bytes().startswith(b"%PDF")


def test_dot_file_needs_no_graphviz(row, tmp_path, no_graphviz):
    plot_model(row, tmp_path / "model.dot")
    (graph,) = pydot.graph_from_dot_file(str(tmp_path / "model.dot"))
    assert len(graph.get_edges()) == 2


def test_text_is_printed_without_graphviz(nested, tmp_path, no_graphviz, capsys):
    with pytest.warns(
        UserWarning, match="did not write 'model.png' because graphviz's program `dot`"
    ) as w:
        assert plot_model(nested, tmp_path / "model.png", show_shapes=True) is None
    assert w[0].filename == __file__
    assert capsys.readouterr().out.rstrip("\n") == text_drawing(nested, show_shapes=True)
    assert not (tmp_path / "model.png").exists()


def test_text_is_printed_without_pydot(row, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.warns(UserWarning, match=r"needs pydot: `pip install fjax\[viz\]`"):
        plot_model(row, tmp_path / "model.dot")
    assert "● dense_1 (Dense) → output" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_notebook_displays_picture(row, tmp_path, monkeypatch):
    class Display:
        Image = SVG = staticmethod(lambda file: ("shown", file))

    monkeypatch.setitem(sys.modules, "IPython.display", Display)
    monkeypatch.setattr(pydot.Dot, "create", lambda dot, format: b"picture")
    for ending in (".png", ".svg"):
        file = tmp_path / f"model{ending}"
        assert plot_model(row, file) == ("shown", str(file))
        assert file.read_bytes() == b"picture"
    assert plot_model(row, tmp_path / "model.pdf") is None


def test_invalid_arguments(row, unbuilt, tmp_path):
    with pytest.raises(
        ValueError, match=r"must end in one of .png, .svg, .pdf, .dot, received 'a.p"
    ):
        plot_model(row, "a.pgn")
    with pytest.raises(ValueError, match=r"must end in one of .*, received 'model'"):
        plot_model(row, "model")
    with pytest.raises(
        FileNotFoundError, match=r"the folder .*nowhere' of `to_file` does not exist"
    ):
        plot_model(row, tmp_path / "nowhere" / "model.png")
    with pytest.raises(TypeError, match="`plot_model` draws a model, received None"):
        plot_model(None, tmp_path / "model.png")
    with pytest.raises(ValueError, match="does not know its input shape yet"):
        plot_model(unbuilt, tmp_path / "model.png")
    with pytest.raises(TypeError, match="Did you mean `to_file`"):
        plot_model(row, tofile="model.png")
    assert not list(tmp_path.iterdir())
