"""Runs of two processes with four devices each; `worker.py` is the program that they run."""

import random

import jax
import numpy as np
import pytest

from tests.distribution import networks
from tests.distribution.pair import results_of, run_pair

CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def assert_like_one_process(name, results):
    model, x, y, arguments = getattr(networks, name)()
    logs = model.fit(x, y, batch_size=32, epochs=3, verbose=0, **arguments).history
    assert set(results["logs"]) == set(logs)
    for log, values in logs.items():
        np.testing.assert_allclose(results["logs"][log], values, err_msg=log, **CLOSE)
    measured = np.ravel(model.evaluate(x, y, verbose=0))
    np.testing.assert_allclose(results["measured"], measured, **CLOSE)
    outputs = jax.tree.leaves(model.predict(x, verbose=0))
    for mine, theirs in zip(outputs, results["outputs"], strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=1e-4, atol=1e-5)


# What the errors of `worker.mistakes` say, in both processes.
MISTAKES = {
    "seed": "the seed of the model",
    "model": "'units'",
    "compile": "'metrics'",
    "epochs": "the epochs",
    "batch": "batches of the data",
    "rows": "the number of rows of the data",
    "own rows": "a checksum of some rows of the data",
    "width": "differ in ",
    "undivided": "cannot be divided among the 8 devices",
    "one process": "",
    "ends early": "has ended in process 0",
    "uneven": "different rows: 16 in process 0, 24 in process 1",
    "broken": "the disk is gone",
    "keras": "auto_shard_dataset=False",
    "calls": "process 0: `fit`; process 1: `evaluate`",
    "alone": "this model is on one device",
    "twice": "was called before",
}


def assert_same_mistakes(both):
    first, second = both
    for name in first:
        for text in (first[name], second[name]):
            assert text != "no error" and MISTAKES[name] in text, (name, text)


@pytest.mark.thorough
def test_two_processes_train_like_one(tmp_path):
    tasks = "curves dense + mistakes seed undivided"
    both = results_of(tmp_path, tasks)
    assert both[0]["curves"] == both[1]["curves"]
    assert_like_one_process("dense", both[0]["curves"]["dense"])
    assert_same_mistakes([each["mistakes"] for each in both])


@pytest.mark.thorough
def test_networks_train_like_one_process(tmp_path):
    names = [make.__name__ for make in networks.ALL]
    both = results_of(tmp_path, f"curves {' '.join(names)}")
    assert both[0] == both[1]
    for name, results in both[0]["curves"].items():
        assert_like_one_process(name, results)


@pytest.mark.thorough
def test_mistakes_are_errors_in_both_processes(tmp_path):
    both = [each["mistakes"] for each in results_of(tmp_path, "mistakes")]
    assert set(both[0]) == set(MISTAKES)
    assert_same_mistakes(both)
    assert "batch_size" in both[0]["one process"]
    assert "Process 0 of 2 failed before the first step" in both[1]["one process"]


@pytest.mark.thorough
def test_weights_files_and_streams(tmp_path):
    both = results_of(tmp_path, "weights + streams")
    assert both[0] == both[1]
    assert_same_logs("dense", both[0]["weights"]["logs"])
    files = ["best-1.fjax", "best-2.fjax", "best-3.fjax", "log.csv", "model.fjax"]
    assert both[0]["weights"]["files"][: len(files)] == files
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4
    for name, make in (("filled", networks.authored), ("whole", networks.dense)):
        model, x, y, _ = make()
        data = [(x[start : start + 32], y[start : start + 32]) for start in (0, 32, 64)]
        logs = model.fit(Batches(data), epochs=2, verbose=0).history
        for log, values in logs.items():
            np.testing.assert_allclose(both[0]["streams"][name]["logs"][log], values, **CLOSE)
        assert both[0]["streams"][name]["rows"] == len(x)


class Batches:
    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


def assert_same_logs(name, logs):
    model, x, y, arguments = getattr(networks, name)()
    expected = model.fit(x, y, batch_size=32, epochs=3, verbose=0, **arguments).history
    for log, values in expected.items():
        np.testing.assert_allclose(logs[log], values, err_msg=log, **CLOSE)


@pytest.mark.thorough
@pytest.mark.parametrize("process", [0, 1])
@pytest.mark.parametrize("kind", ["raise", "kill", "exit"])
def test_a_failure_of_one_process_ends_the_other(tmp_path, kind, process):
    ended = run_pair(tmp_path, f"fail {kind} {process}")
    other = ended[1 - process]
    assert other.code not in (0, -9) and other.seconds - ended[process].seconds < 60
    expected = {
        "raise": f"Process {process} of 2 failed: ValueError: no space is left",
        "exit": f"Process {process} of 2 failed: SystemExit",
        "kill": f"process {process} of 2 has given no sign of life" if process else "died",
    }[kind]
    assert expected in other.text, other.text[-4000:]


@pytest.mark.parametrize(
    "kills", [pytest.param(2, marks=pytest.mark.thorough), pytest.param(50, marks=pytest.mark.slow)]
)
def test_a_killed_run_resumes_with_the_same_bits(tmp_path, kills):
    unbroken = results_of(tmp_path, f"run {tmp_path / 'unbroken'}")
    assert unbroken[0] == unbroken[1]
    draws = random.Random(kills)
    for number in range(kills):
        folder = tmp_path / f"killed-{number}"
        run_pair(tmp_path, f"run {folder} {draws.uniform(0.05, 8.0)}")
        assert results_of(tmp_path, f"run {folder}") == unbroken
