"""HTML and SVG for notebooks."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from fjax.markup import Curve, Mark, Panel, draw_panels, draw_table

pytestmark = pytest.mark.short


def test_texts_are_escaped():
    table = draw_table(["<name>"], [["a & b"], ["<script>"]])
    assert "<script>" not in table and "&lt;script&gt;" in table and "a &amp; b" in table


def test_a_panel_has_its_curves_and_is_well_formed():
    steps = np.arange(5.0)
    curves = [Curve("loss <1>", "red", steps, steps**2), Curve("flat", "blue", steps, 0 * steps)]
    drawing = draw_panels([Panel("training", curves, Mark(1.0, 1.0, "best"))])
    # XML has only five of HTML's names of characters.
    drawing = re.sub(r"&(?!(lt|gt|amp|quot|apos);)\w+;", " ", drawing)
    elements = list(ET.fromstring(f"<div>{drawing}</div>").iter())
    strokes = {element.get("stroke") for element in elements}
    assert {"red", "blue"} <= strokes
    assert any("loss <1>" in (element.tail or "") for element in elements)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [np.inf, 1.0], [3.0]])
def test_curves_without_a_range_can_be_drawn(values):
    y = np.array(values, float)
    drawing = draw_panels([Panel("loss", [Curve("loss", "red", np.arange(len(y)) * 1.0, y)])])
    assert "nan" not in drawing.lower()
