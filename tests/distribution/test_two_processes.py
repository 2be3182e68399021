"""Folders of Orbax that two processes write together, and that they read."""

import os
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from fjax.storage.array_store import open_arrays
from tests.distribution.test_distribution import ROOT, eight_devices
from tests.distribution.two_processes import VALUE

WRITE_IN_ONE = """
import sys
from pathlib import Path
from jax.sharding import PartitionSpec as P
from fjax.distribution import fsdp
from fjax.storage.sharded_folder import ShardedStore
from fjax.storage.versions import format_metadata
from fjax.training.transfers import put_on
from tests.distribution.two_processes import VALUE

placement = fsdp(min_size=8)
tensors = {"kernel": put_on(VALUE, placement.mesh, P(None, "data"))}
ShardedStore(placement, "test").start(Path(sys.argv[1]), tensors, format_metadata("model"))()
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.thorough
def test_two_processes_write_and_read_their_own_parts(tmp_path):
    one = [sys.executable, "-c", WRITE_IN_ONE, str(tmp_path / "one")]
    subprocess.run(one, cwd=ROOT, env=eight_devices(), check=True, timeout=300)
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    port = str(free_port())
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.distribution.two_processes", index, port, str(tmp_path)],
            cwd=ROOT, env={**eight_devices(), "XLA_FLAGS": flags},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for index in ("0", "1")
    ]  # fmt: skip
    for process in processes:
        output, errors = process.communicate(timeout=300)
        assert output.endswith("done\n"), errors[-3000:]
    # Each process has written its own files, and one device reads them.
    names = {path.name for path in (tmp_path / "two" / "arrays-0").iterdir()}
    assert {"ocdbt.process_0", "ocdbt.process_1"} <= names
    with open_arrays(tmp_path / "two", "model") as reader:
        spec = jax.ShapeDtypeStruct(VALUE.shape, VALUE.dtype)
        np.testing.assert_array_equal(reader.read_placed({"kernel": spec})["kernel"], VALUE)
        np.testing.assert_array_equal(reader.read("host"), np.ones(3, "float32"))
