"""A folder of trials is what it would be without a kill."""

import signal
import subprocess
import sys
from pathlib import Path

EPOCHS = 6

PROGRAM = Path(__file__).with_name("killed_trials.py")


def run(folder, last=0):
    """Return the epochs that the program makes of each trial, and how it ends."""
    command = [sys.executable, str(PROGRAM), str(folder), str(EPOCHS), str(last)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    epochs = [part.split("\n") for part in done.stdout.split("trial\n")[1:]]
    return [[int(line) for line in lines if line.isdigit()] for lines in epochs], done.returncode


def files(folder, name):
    return {path.parent.name: path.read_bytes() for path in folder.glob(f"*/{name}")}


def test_killed_in_the_midst_of_a_trial(tmp_path):
    killed, unbroken = tmp_path / "killed", tmp_path / "unbroken"
    every = list(range(EPOCHS))
    epochs, code = run(killed, last=EPOCHS + 4)
    assert (epochs, code) == ([every, every[:4]], -signal.SIGKILL)
    first = files(killed, "result.json")
    assert len(first) == 1 and not list(killed.rglob("*.part"))

    # The first trial is done; the second one goes on from what was written of it.
    epochs, code = run(killed)
    (rest,) = epochs
    assert code == 0 and rest in (every[2:], every[3:])

    assert run(unbroken) == ([every, every], 0)
    results = files(killed, "result.json")
    assert len(results) == 2 and first.items() <= results.items()
    assert results == files(unbroken, "result.json")
    assert files(killed, "model.fjax") == files(unbroken, "model.fjax")
