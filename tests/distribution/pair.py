"""Start a program in two processes, which are connected over the loopback interface."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Ended(NamedTuple):
    code: int
    seconds: float
    text: str


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_pair(folder, tasks, timeout=300):
    """Return how both processes ended; they are killed after `timeout` seconds.

    The tasks are functions of `worker.py` with their arguments, joined by " + ".
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    devices = "--xla_force_host_platform_device_count=4"
    environment |= {
        "PAIR_OUT": str(folder),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {devices}",
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{free_port()}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
        "PYTHONUNBUFFERED": "1",
    }
    start, processes, files = time.monotonic(), [], []
    for index in (0, 1):
        files.append((Path(folder) / f"text-{index}").open("w+"))
        program = [sys.executable, "-m", "tests.distribution.worker", tasks]
        own = {**environment, "KERAS_DISTRIBUTION_PROCESS_ID": str(index)}
        out = {"stdout": files[-1], "stderr": subprocess.STDOUT}
        processes.append(subprocess.Popen(program, cwd=ROOT, env=own, **out))
    ends = {}
    while len(ends) < 2 and time.monotonic() - start < timeout:
        for index, process in enumerate(processes):
            if index not in ends and process.poll() is not None:
                ends[index] = time.monotonic() - start
        time.sleep(0.05)
    for process in processes:
        process.kill()
        process.wait()
    results = []
    for index, (process, file) in enumerate(zip(processes, files, strict=True)):
        file.seek(0)
        text = "\n".join(line for line in file.read().splitlines() if "[Gloo]" not in line)
        file.close()
        results.append(Ended(process.returncode, ends.get(index, timeout), text))
    return results


def results_of(folder, tasks, **options):
    """Return what the tasks have yielded in both processes, by the name of the task."""
    ended = run_pair(folder, tasks, **options)
    texts = [f"process {each}: {end.code}\n{end.text[-6000:]}" for each, end in enumerate(ended)]
    assert [end.code for end in ended] == [0, 0], "\n".join(texts)
    return [json.loads((Path(folder) / f"out-{each}.json").read_text()) for each in (0, 1)]
