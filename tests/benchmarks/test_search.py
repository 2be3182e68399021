"""Everybody searches the same candidates, and what is found is told honestly."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import report as pages
from benchmarks.__main__ import RUNS, main
from benchmarks.data import load
from benchmarks.jobs import find_job
from benchmarks.processes import ROOT, missing
from benchmarks.search import report, searches, seeds
from benchmarks.search.programs import PROGRAMS, SEARCHES, SEEDS
from benchmarks.search.runner import Record
from benchmarks.search.sizes import Sizes

SIZES = Sizes(candidates=2, folds=2, epochs=1, seeds=3)


@pytest.fixture(scope="module")
def data():
    x, y = load(find_job("california", quick=True))
    return x[:200], y[:200].ravel()


def test_a_search_by_fjax_is_that_of_scikit_learn_over_its_estimator(data):
    scores = [prepare(*data, SIZES)() for prepare in (searches.in_one_program, searches.fit_by_fit)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def test_the_network_of_scikit_learn_is_as_the_others(data):
    fitted = searches.Perceptron(n_hidden=2, n_neurons=5, epochs=3).fit(*data)
    assert [own.shape for own in fitted.network_.coefs_] == [(8, 5), (5, 5), (5, 1)]
    assert fitted.network_.n_iter_ == 3
    assert np.isfinite(searches.of_scikit_learn(*data, SIZES)())


def test_seeds_side_by_side_are_single_fits(data):
    losses = [prepare(*data, SIZES)() for prepare in (seeds.side_by_side, seeds.one_after_another)]
    # The seeds of the two are others.
    assert losses[0] == pytest.approx(losses[1], rel=0.5)


def test_a_process_says_what_it_measured(data, tmp_path):
    np.savez(tmp_path / "data.npz", x=data[0], y=data[1])
    arguments = ["search", "sklearn", str(tmp_path / "data.npz"), "--quick"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.search.child", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    assert said["seconds"] > 0 and np.isfinite(said["score"]) and said["version"]


def measured(programs, **seconds):
    found = {name: Record(program, score=0.5) for name, program in programs.items()}
    for name, own in seconds.items():
        found[name].seconds = own
    return found


def test_a_table_has_a_row_for_each_and_tells_who_is_missing():
    records = measured(SEARCHES, fjax=[3.0, 2.0], wrapper=[6.0, 8.0], sklearn=[1.0, 1.0])
    table = report.job_table("search", records, 11_610, quick=False)
    assert "10 candidates in 3 folds" in table and "10 epochs of 11,610 samples" in table
    lines = [line for line in table.splitlines() if line.startswith("| scikit-learn's")]
    assert [line.rsplit("|", 2)[1].strip() for line in lines] == [
        "0.5000",
        "not installed",
        "0.5000",
    ]
    assert "7.00" in lines[0] and "3.00" in lines[0]


def test_the_targets_are_told():
    results = {
        "search": measured(SEARCHES, fjax=[3.0], wrapper=[9.0]),
        "replicas": measured(SEEDS, replicas=[1.0, 1.0], fits=[2.0, 2.0]),
    }
    found = dict(report.targets(results))
    assert list(found.values()) == [True, False, True]
    assert "takes 9.00 s, at most 8.0 s" in list(found)[1] and "0.50 x" in list(found)[2]
    assert report.targets({}) == []
    assert report.versions(results) == {"fjax": ""}


def test_the_page_has_all_jobs_or_none(capsys):
    assert set(PROGRAMS) < set(RUNS)
    with pytest.raises(SystemExit):
        main(["--write", "--jobs", *(name for name in RUNS if name != "search")])
    assert "--write needs all jobs" in capsys.readouterr().err


@pytest.mark.slow
def test_the_jobs_run(capsys):
    main(["--quick", "--jobs", *PROGRAMS])
    printed = capsys.readouterr().out
    for programs in PROGRAMS.values():
        for program in programs.values():
            (line,) = [own for own in printed.splitlines() if own.startswith(f"| {program.label} ")]
            assert ("not installed" in line) == bool(missing(program))
    assert "search: `fjax.search` takes" in printed and "replicas: all seeds" in printed
    assert pages.BEGIN not in printed
