"""Runs on several devices: the tests of `…on_eight_devices.py`, in a process with eight devices."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = sorted(Path(__file__).parent.glob("*on_eight_devices.py"))


def run_on_eight_devices(marked):
    # The number of devices is fixed when JAX starts.
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    program = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", marked, *TESTS]
    done = subprocess.run(
        program, capture_output=True, text=True, timeout=1200, cwd=Path(__file__).parents[2],
        env={**environment, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


@pytest.mark.short
def test_runs_on_several_devices():
    run_on_eight_devices("not slow and not thorough")


@pytest.mark.thorough
def test_more_runs_on_several_devices():
    run_on_eight_devices("thorough and not slow")
