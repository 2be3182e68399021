"""Processes of contestants, and those of another Python."""

import dataclasses
import sys

import pytest

from benchmarks.__main__ import main
from benchmarks.contestants import CONTESTANTS, TENSORFLOW_PYTHON, Contestant
from benchmarks.orders import ask_in_turns, versions
from benchmarks.processes import interpreter, missing, run_once
from benchmarks.results import Settings


@pytest.fixture
def other_python(tmp_path, monkeypatch):
    def program(text):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        monkeypatch.setenv(TENSORFLOW_PYTHON, str(path))
        return str(path)

    return program


def test_only_keras_on_tensorflow_has_another_python(other_python):
    path = other_python("echo tensorflow")
    assert interpreter(CONTESTANTS["keras_tensorflow"]) == path
    assert missing(CONTESTANTS["keras_tensorflow"]) == ["tensorflow"]
    assert {interpreter(CONTESTANTS[name]) for name in ("fjax", "keras_jax")} == {sys.executable}


def test_without_another_python_it_is_this_one(monkeypatch):
    monkeypatch.delenv(TENSORFLOW_PYTHON, raising=False)
    assert interpreter(CONTESTANTS["keras_tensorflow"]) == sys.executable


def test_a_process_that_ends_is_an_error(other_python):
    other_python("exit 3")
    with pytest.raises(RuntimeError, match="'Keras on TensorFlow' ended with exit code 3"):
        run_once(CONTESTANTS["keras_tensorflow"], "benchmarks.child", [])


def test_a_path_that_is_no_program_is_an_error(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(["--tensorflow-python", str(tmp_path / "python")])
    assert "is no program" in capsys.readouterr().err


class FakeProcess:
    def __init__(self, label, asked):
        self.label = label
        self.asked = asked

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def report(self):
        return {"version": "1", "orders": ["a", "b"] if self.label == "one" else ["a"]}

    def ask(self, order):
        self.asked.append(f"{self.label} {order}")
        return {"seconds": 0.5}


def test_every_order_goes_to_each_contestant_that_knows_it(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "benchmarks.orders._start", lambda contestant, quick: FakeProcess(contestant.label, asked)
    )
    contestants = {
        "one": Contestant("one", "", "numpy"),
        "other": Contestant("other", "", "numpy"),
        "absent": Contestant("absent", "", "absent", ("no_such_module",)),
    }
    answers = ask_in_turns(contestants, starts=2, rounds=2, quick=True)
    assert asked == 4 * ["one a", "other a", "one b"]
    assert answers["one"].values("a") == 4 * [0.5]
    assert answers["other"].values("b") == []
    assert answers["absent"].reports == {}
    assert versions(contestants, answers) == {"numpy": "1"}


def test_settings_leave_the_numbers_to_the_job_unless_they_are_set():
    assert Settings().number_of_starts(5) == 5
    assert Settings(quick=True).number_of_starts(5) == 1
    assert Settings(starts=2, quick=True).number_of_starts(5) == 2
    assert Settings().number_of_rounds(10, quick=1) == 10
    assert Settings(quick=True).number_of_rounds(10, quick=1) == 1
    assert dataclasses.replace(Settings(), rounds=3).number_of_rounds(10, quick=1) == 3
