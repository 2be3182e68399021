"""Single calls: what is timed, and what is said of it."""

import itertools
import time

import pytest

from benchmarks.__main__ import main
from benchmarks.calls import actions, report
from benchmarks.calls.actions import of_fjax, row_counts
from benchmarks.calls.job import CALLERS
from benchmarks.calls.rows import ROWS
from benchmarks.orders import Answers
from benchmarks.processes import missing


def measured(**seconds):
    return {
        name: Answers("1", {order: [{"seconds": one} for one in times] for order in ROWS})
        if (times := seconds.get(name))
        else Answers()
        for name in CALLERS
    }


def test_every_call_can_be_timed():
    answers = of_fjax(quick=True)
    assert list(answers) == list(ROWS)
    for answer in answers.values():
        assert answer()["seconds"] > 0


def test_slow_calls_are_repeated_less(monkeypatch):
    clock = itertools.count(0, 0.2)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    calls = []
    assert actions.mean_seconds(lambda: calls.append(0), 200) == pytest.approx(0.2)
    assert len(calls) == 3


def test_the_last_batch_has_a_size_that_is_new():
    rests = [count % 32 for count in itertools.islice(row_counts(), 30)]
    assert sorted(rests) == list(range(2, 32))


def test_the_table_has_the_best_of_the_rounds_and_the_ratio():
    table = report.job_table(CALLERS, measured(fjax=[3e-4, 1e-4], keras_jax=[8e-4, 4e-4]))
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    label = ROWS["train_on_batch"].label
    assert [label, "250", "100", "400", "4.00", "not installed", ""] in lines
    assert all(any(row.label in line for line in lines) for row in ROWS.values())


def test_the_targets_are_told_honestly():
    found = dict(report.targets(measured(fjax=[3e-4, 1e-4])))
    assert found["calls: `train_on_batch` of 32 rows: 100 µs, at most 250"]
    assert not found["calls: `fit` of a generator, a step: 100 µs, at most 60"]


@pytest.mark.slow
def test_the_job_runs(capsys):
    main(["--quick", "--jobs", "calls"])
    printed = capsys.readouterr().out
    assert f"calls: {ROWS['predict_new'].label}" in printed
    for row in ROWS.values():
        (line,) = [own for own in printed.splitlines() if own.startswith(f"| {row.label} ")]
        assert ("not installed" in line) == any(map(missing, CALLERS.values()))
