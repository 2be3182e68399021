"""What is compiled beside what, and what is said of it."""

import dataclasses

import pytest

from benchmarks.compilation import report
from benchmarks.compilation.programs import BLOCKS, FIRST_STEPS
from benchmarks.compilation.runner import Case, Compilations, check


def case(program, size, *seconds, weights=7):
    return Case(program, size, list(seconds), weights, "1")


@pytest.fixture
def found():
    ours, theirs = FIRST_STEPS["`Sequential`"]
    return Compilations(
        {"`Sequential`": (case(ours, 20, 2.0, 4.0, 9.0), case(theirs, 20, 3.0, 4.0, 18.0))},
        {
            "repeat": {6: case(BLOCKS["repeat"], 6, 1.0), 48: case(BLOCKS["repeat"], 48, 1.3)},
            "serial": {6: case(BLOCKS["serial"], 6, 1.5)},
        },
    )


def test_a_ratio_is_taken_within_a_start(found):
    ours, theirs = found.first_steps["`Sequential`"]
    assert report.ratio(theirs, ours) == 1.5


def test_the_tables_hold_every_case(found):
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in report.tables(found).splitlines()
    ]
    assert ["`Sequential`", "4.00", "4.00", "1.50"] in lines
    assert ["6", "1.00", "1.50"] in lines
    assert ["48", "1.30", ""] in lines


def test_the_targets_are_told_honestly(found):
    assert [good for _, good in report.targets(found)] == [True, False]
    theirs = found.first_steps["`Sequential`"][1]
    theirs.seconds = [1.0, 1.0, 1.0]
    found.blocks["repeat"][48].seconds = [1.2]
    assert [good for _, good in report.targets(found)] == [False, True]
    assert "take 4.00 s" in report.targets(found)[0][0]


def test_without_keras_there_is_nothing_beside(found):
    ours, theirs = found.first_steps["`Sequential`"]
    gone = dataclasses.replace(theirs, seconds=[], weights=0)
    found.first_steps["`Sequential`"] = (ours, gone)
    check(found)
    assert "not installed" in report.tables(found)
    assert len(report.targets(found)) == 1


def test_what_is_not_installed_is_not_run(found, monkeypatch):
    monkeypatch.setattr("benchmarks.processes.importlib.util.find_spec", lambda name: None)
    ours, theirs = found.first_steps["`Sequential`"]
    assert ours in found.measured
    assert theirs not in found.measured


@pytest.mark.parametrize("where", ["first step", "blocks"])
def test_networks_that_differ_are_an_error(found, where):
    theirs = found.first_steps["`Sequential`"][1]
    other = theirs if where == "first step" else found.blocks["serial"][6]
    check(found)
    other.weights = 8
    with pytest.raises(RuntimeError, match="7 and 8 weights"):
        check(found)
