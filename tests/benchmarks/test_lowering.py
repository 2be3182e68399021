"""The candidates of the lowering benchmark compute the same, and the table is printed."""

import numpy as np
import pytest

from benchmarks.lowering.__main__ import main
from benchmarks.lowering.candidates import CASES


@pytest.mark.parametrize("number", [0, 7, 13], ids=["image", "text", "pooling"])
def test_candidates_agree(number):
    case = CASES[number]
    random = np.random.default_rng(0)
    batch = [(2, *case.shapes[0][1:]), *case.shapes[1:]]
    arguments = [random.normal(size=shape).astype("float32") for shape in batch]
    expected = case.candidates["fjax"](*arguments)
    for candidate in case.candidates.values():
        np.testing.assert_allclose(candidate(*arguments), expected, rtol=1e-3, atol=1e-3)


def test_the_table_has_a_column_for_each_candidate(capsys):
    main(["--cases", "14", "--rounds", "1", "--seconds", "0.001"])
    printed = capsys.readouterr().out
    assert "| average of tiles" in printed
    assert "XLA's windows, ms" in printed
