import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bits.digests import machine, recorded
from tests.bits.networks import TRAININGS

RECORDED = recorded().get(machine(), {})


@pytest.fixture(scope="module")
def digests():
    """The digests of this tree, made without the flags that the other tests compile with."""
    program = [sys.executable, "-W", "ignore", "-m", "tests.bits", "--print"]
    environment = {**os.environ, "XLA_FLAGS": ""}
    done = subprocess.run(
        program, capture_output=True, text=True, env=environment, timeout=600,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(not RECORDED, reason="no digests are recorded for this CPU and XLA")
@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_ends_with_the_recorded_bits(name, digests):
    assert digests[name] == RECORDED[name]
