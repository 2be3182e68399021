"""Runs on several devices: starts the tests of `*on_eight_devices.py` in a process with eight."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

TESTS = sorted(Path(__file__).parent.glob("*on_eight_devices.py"))
ROOT = Path(__file__).parents[2]


def eight_devices():
    """Return the environment of a process with eight devices; JAX fixes their number at start."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    return {**environment, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}


def run_on_eight_devices(marked):
    program = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", marked, *TESTS]
    done = subprocess.run(
        program, capture_output=True, text=True, timeout=1200, cwd=ROOT, env=eight_devices()
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


@pytest.mark.short
def test_runs_on_several_devices():
    run_on_eight_devices("not slow and not thorough")


@pytest.mark.thorough
def test_more_runs_on_several_devices():
    run_on_eight_devices("thorough and not slow")


def run_divided_program(folder, delays):
    """Start a program whose weights are divided, kill it after each delay, and let it end."""
    command = [sys.executable, "-m", "tests.models.resumed_program", str(folder), "divided"]
    started = {"stdout": subprocess.PIPE, "text": True, "cwd": ROOT, "env": eight_devices()}
    for delay in delays:
        process = subprocess.Popen(command, **started)
        # The delay counts from the start of the training.
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not delays or any(Path(folder).iterdir())
    return subprocess.run(command, **started, check=True).stdout.splitlines()[-1]


@pytest.mark.thorough
def test_a_divided_run_killed_three_times_ends_with_the_same_digest(tmp_path):
    expected = run_divided_program(tmp_path / "uninterrupted", [])
    delays = list(np.random.default_rng().uniform(1.0, 6.0, size=3))
    assert run_divided_program(tmp_path / "killed", delays) == expected, delays


@pytest.mark.slow
def test_a_divided_run_killed_fifty_times_ends_with_the_same_digest(tmp_path):
    expected = run_divided_program(tmp_path / "uninterrupted", [])
    random = np.random.default_rng()
    for number in range(10):
        delays = list(random.uniform(0.5, 8.0, size=5))
        assert run_divided_program(tmp_path / str(number), delays) == expected, delays
