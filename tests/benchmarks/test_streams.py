"""Streams: everybody trains the same batches, and what is said of them."""

import itertools
import time

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.orders import Answers, ask_in_turns
from benchmarks.processes import missing
from benchmarks.streams import report
from benchmarks.streams.epochs import of_fjax
from benchmarks.streams.job import TRAINERS
from benchmarks.streams.networks import NETWORKS, draw, network_job
from benchmarks.streams.sources import LABELS, generate, openers


@pytest.fixture(params=NETWORKS)
def job(request):
    return network_job(request.param, quick=True)


def test_the_networks_have_their_sizes():
    jobs = {name: network_job(name, quick=False) for name in NETWORKS}
    assert [(job.batch_size, job.steps) for job in jobs.values()] == [(32, 400), (128, 20)]
    assert all(job.rows == job.steps * job.batch_size for job in jobs.values())


def test_every_stream_has_the_same_rows(job):
    x, y = draw(job)
    for open_stream in openers(job, x, y).values():
        batches = list(itertools.islice(open_stream(), job.steps))
        assert [len(batch[0]) for batch in batches] == job.steps * [job.batch_size]
        for index, expected in enumerate((x, y)):
            values = np.concatenate([np.asarray(batch[index]) for batch in batches])
            assert values.dtype == expected.dtype and values.shape == expected.shape
            np.testing.assert_array_equal(np.sort(values.ravel()), np.sort(expected.ravel()))


def test_a_slow_reader_sleeps(monkeypatch, job):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    x, y = draw(job)
    list(itertools.islice(generate(job, x, y, 0.25), 2 * job.steps))
    assert pauses == 2 * job.steps * [0.25]


def test_fjax_trains_on_every_stream():
    answers = of_fjax(quick=True)
    x, y = draw(network_job("dense", quick=True))
    streams = openers(network_job("dense", quick=True), x, y)
    assert list(answers) == [*(f"{net}/{name}" for net in NETWORKS for name in streams), "overlap"]
    assert answers["dense/generator"]()["seconds"] > 0
    overlap = answers["overlap"]()
    assert overlap["step"] == overlap["reader"] <= overlap["together"]


def test_the_loop_of_pytorch_trains_in_its_process():
    pytest.importorskip("torch")
    answers = ask_in_turns({"torch": TRAINERS["torch_loader"]}, 1, 1, quick=True)["torch"]
    assert list(answers.reports) == ["dense/loader", "convolutions/loader"]
    assert answers.values("dense/loader")[0] > 0
    assert abs(answers.values("dense/loader", "growth")[0]) < 2**30


def measured(**seconds):
    """Contestants that take so many seconds a step, and overlap nothing."""
    orders = [f"{network}/{stream}" for network in NETWORKS for stream in ("generator", "loader")]
    found = {name: Answers() for name in TRAINERS}
    for name, step in seconds.items():
        found[name] = Answers("1", {o: [{"seconds": step, "growth": 2.0**21}] for o in orders})
        found[name].reports["overlap"] = [{"reader": step, "step": step, "together": 2 * step}]
    return found


def test_the_tables_have_every_stream():
    tables = report.job_tables(TRAINERS, measured(fjax=1e-4, keras_jax=3e-4), quick=False)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in tables.splitlines()]
    assert ["generator, Keras on JAX", "300.0", "3.00", "+2.0"] in lines
    assert ["generator, Keras on TensorFlow", "", "", "not installed"] in lines
    assert ["Grain's dataset, fjax", "", "", "not installed"] in lines
    assert ["fjax", "0.10", "0.10", "0.20", "2.00"] in lines
    assert "400 steps an epoch, batch 32" in tables and "20 steps an epoch, batch 128" in tables
    assert not any(line[:1] == ["Grain's dataset, Keras on TensorFlow"] for line in lines)


def test_the_targets_are_told_honestly():
    found = dict(report.targets(measured(fjax=2e-4, keras_jax=1e-4)))
    assert len(found) == 5 and not any(found.values())
    answers = measured(fjax=1e-4, keras_jax=2e-4)
    answers["fjax"].reports["overlap"][0]["together"] = 1.2e-4
    assert all(dict(report.targets(answers)).values())


@pytest.mark.slow
def test_the_job_runs(capsys):
    main(["--quick", "--jobs", "streams"])
    printed = capsys.readouterr().out
    for name in ("fjax", "keras_jax"):
        row = f"| {LABELS['generator']}, {TRAINERS[name].label} "
        (first, second) = [line for line in printed.splitlines() if line.startswith(row)]
        assert ("not installed" in first) == ("not installed" in second)
        assert ("not installed" in first) == bool(missing(TRAINERS[name]))
    assert "streams: a reader beside a step takes" in printed
