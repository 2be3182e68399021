"""`initialize`: connect the processes of a run."""

import os
import random
import zlib
from typing import Any

import jax

from fjax.errors import integer_at_least

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
COUNT = "KERAS_DISTRIBUTION_NUM_PROCESSES"
ID = "KERAS_DISTRIBUTION_PROCESS_ID"

# A process without a sign of life for so many seconds ends the job.
HEARTBEAT_SECONDS = 30


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
) -> None:
    """Connect this process with the other processes of a run, before anything else is computed.

    Each process calls this with its own `process_id`. Afterwards `list_devices` has the devices of
    all processes, and a placement on them trains one model in all processes. An argument that is
    None is read from the environment variables `KERAS_DISTRIBUTION_JOB_ADDRESSES`,
    `KERAS_DISTRIBUTION_NUM_PROCESSES` and `KERAS_DISTRIBUTION_PROCESS_ID`; if they are not set, JAX
    asks the cluster (SLURM, Open MPI, Kubernetes, Cloud TPU).

    If a process fails or is killed, the others end with an error within a minute.

    Args:
        job_addresses: The address of process 0 with a free port, such as "10.0.0.1:1234", or those
            of all processes, separated by commas.
        num_processes: The number of processes; with 1, nothing is done.
        process_id: The number of this process, from 0.

    Raises:
        RuntimeError: It was called before, or JAX has started its devices; or the processes cannot
            be connected.
        TypeError: An argument has another type.
        ValueError: An argument is missing or invalid.

    Source: Keras's page "initialize".

    >>> initialize(num_processes=1)
    """
    addresses = os.environ.get(ADDRESSES) if job_addresses is None else job_addresses
    count = _from_environment("num_processes", num_processes, COUNT, 1)
    index = _from_environment("process_id", process_id, ID, 0)
    if addresses is not None and not isinstance(addresses, str):
        raise TypeError(
            f"`initialize`: `job_addresses` must be a str such as '10.0.0.1:1234', received "
            f"{addresses!r}."
        )
    address = None
    if addresses:
        address, count = _coordinator(addresses, count)
    _check_id(index, count)
    if count == 1:
        return
    _check_unused()
    if None in (address, count, index) and not _is_cluster():
        missing = [
            f"`{name}` (or {variable})"
            for name, variable, value in (
                ("job_addresses", ADDRESSES, address),
                ("num_processes", COUNT, count),
                ("process_id", ID, index),
            )
            if value is None
        ]
        raise ValueError(
            f"`initialize`: {', '.join(missing)} missing, and no cluster such as SLURM was found: "
            "pass the address of process 0 with a free port, the number of processes, and the "
            "number of this process. For a run of one process leave out `initialize`."
        )
    _connect(address, count, index)


def _connect(address: str | None, count: int | None, index: int | None) -> None:
    from fjax.processes.job import shared_job

    # Processes on CPUs communicate by Gloo, JAX's default.
    jax.distributed.initialize(
        coordinator_address=address, num_processes=count, process_id=index,
        heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
    )  # fmt: skip
    _share_seeds(shared_job())


def _share_seeds(job: Any) -> None:
    """Let models without a seed draw the same one in all processes, from Python's `random`."""
    state = zlib.crc32(repr(random.getstate()).encode())
    states = job.exchange("`initialize`", [state, int.from_bytes(os.urandom(4))])
    if len({state for state, _ in states}) > 1:
        random.seed(states[0][1])


def _from_environment(name: str, value: Any, variable: str, minimum: int) -> int | None:
    """Return an argument, or the number in an environment variable; None if there is neither."""
    if value is None:
        text = os.environ.get(variable)
        if not text:
            return None
        if not text.isdecimal():
            raise ValueError(f"`initialize`: {variable} must be an integer, received {text!r}.")
        name, value = variable, int(text)
    return integer_at_least("initialize", name, value, minimum)


def _coordinator(addresses: str, count: int | None) -> tuple[str, int | None]:
    """Return the address of process 0, and the number of processes."""
    parts = [part.strip() for part in addresses.split(",")]
    if len(parts) > 1:
        if count not in (None, len(parts)):
            raise ValueError(
                f"`initialize`: `job_addresses` has {len(parts)} addresses, but there are {count} "
                "processes: give the address of process 0 alone, or one for each process."
            )
        count = len(parts)
    host, _, port = parts[0].rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(
            f"`initialize`: the address of process 0 must have a port, as in '10.0.0.1:1234', "
            f"received {parts[0]!r}."
        )
    return parts[0], count


def _check_id(index: int | None, count: int | None) -> None:
    if index is not None and count is not None and index >= count:
        raise ValueError(
            f"`initialize`: `process_id` must be from 0 to {count - 1}, since there are {count} "
            f"processes, received {index}."
        )


def _check_unused() -> None:
    """Raise RuntimeError if it is too late to connect processes."""
    from jax._src import distributed, xla_bridge

    if distributed.global_state.client is not None:
        raise RuntimeError("`initialize` was called before: call it once, at the start.")
    if xla_bridge.backends_are_initialized():
        raise RuntimeError(
            "`initialize` must be called before JAX starts its devices, but something was computed "
            "or devices were listed before: call it in the first lines of the program."
        )


def _is_cluster() -> bool:
    """Return whether JAX finds a cluster that has started this process."""
    from jax._src import clusters

    kinds = clusters.ClusterEnv._cluster_types
    return any(kind.is_env_present() for kind in kinds if not kind.opt_in_only_method)
