"""The package's top-level names."""

import subprocess
import sys

import pytest

import fjax


def test_ops_are_imported_when_they_are_used():
    program = "import sys, fjax; assert 'fjax.ops' not in sys.modules; assert fjax.ops.relu"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
    with pytest.raises(AttributeError, match="module 'fjax' has no attribute 'opps'"):
        fjax.opps  # noqa: B018
