"""A killed search over a folder of trials has the results of an uninterrupted one."""

import signal
import subprocess
import sys
from pathlib import Path

EPOCHS = 6

PROGRAM = Path(__file__).with_name("killed_trials.py")


def run(folder, last=0):
    """Return the epochs of each trial that the program runs, and its exit code."""
    command = [sys.executable, str(PROGRAM), str(folder), str(EPOCHS), str(last)]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    epochs = [part.split("\n") for part in process.stdout.split("trial\n")[1:]]
    return [[int(line) for line in lines if line.isdigit()] for lines in epochs], process.returncode


def files(folder, name):
    return {path.parent.name: path.read_bytes() for path in folder.glob(f"*/{name}")}


def test_kill_within_a_trial(tmp_path):
    killed, uninterrupted = tmp_path / "killed", tmp_path / "uninterrupted"
    all_epochs = list(range(EPOCHS))
    epochs, code = run(killed, last=EPOCHS + 4)
    assert (epochs, code) == ([all_epochs, all_epochs[:4]], -signal.SIGKILL)
    first = files(killed, "result.json")
    # The kill may have cut a checkpoint short, but no result.
    assert len(first) == 1 and not list(killed.rglob("*result*.part"))

    # The first trial is finished; the second one resumes from its last saved epoch.
    epochs, code = run(killed)
    (rest,) = epochs
    assert code == 0 and rest in (all_epochs[2:], all_epochs[3:])

    assert run(uninterrupted) == ([all_epochs, all_epochs], 0)
    results = files(killed, "result.json")
    assert len(results) == 2 and first.items() <= results.items()
    assert results == files(uninterrupted, "result.json")
    assert files(killed, "model.fjax") == files(uninterrupted, "model.fjax")
