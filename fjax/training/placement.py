"""Placement: the only module that puts arrays on devices, and fetches results from them.

It is the only caller of `jax.device_put`. Today there is one device, the default device.
"""

import dataclasses
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fjax.compiler import compile_function
from fjax.typing import Array, PyTree


@dataclasses.dataclass(frozen=True)
class Placement:
    """The device for the arrays of a run: the default device.

    >>> import numpy as np
    >>> isinstance(Placement().put(np.ones(3)), jax.Array)
    True
    """

    def put(self, tree: PyTree) -> PyTree:
        """Return the tree with every array on the device; the transfer may still be running."""
        return jax.device_put(tree)

    def put_window(self, tree: PyTree) -> PyTree:
        """Return the rows of a window for a program; on a CPU it reads them where they are."""
        return tree if self.is_cpu else self.put(tree)

    def fetch(self, tree: PyTree) -> PyTree:
        """Return the tree as numpy arrays, which may be read-only."""
        # `device_get` starts all transfers before it waits; a CPU has none, and is read directly.
        return jax.tree.map(np.asarray, tree) if self.is_cpu else jax.device_get(tree)

    def take(self, tree: PyTree, rows: np.ndarray) -> PyTree:
        """Return rows, by index, of arrays on the device; the indices are within bounds."""
        return _take(tree, rows)

    @property
    def is_cpu(self) -> bool:
        """Whether the device is a CPU."""
        return jax.default_backend() == "cpu"

    def capacity(self) -> int | None:
        """Return how many bytes of data may be on the device; None if its memory is unknown.

        This is half of the device's memory; the other half is for weights and results.
        """
        statistics = jax.local_devices()[0].memory_stats()
        return (
            statistics["bytes_limit"] // 2 if statistics and "bytes_limit" in statistics else None
        )

    def free_memory(self) -> int | None:
        """Return the bytes that are free on the device, or on the host; None if unknown."""
        statistics = jax.local_devices()[0].memory_stats()
        if statistics and "bytes_limit" in statistics:
            return statistics["bytes_limit"] - statistics.get("bytes_in_use", 0)
        # "MemAvailable" includes the file cache, which Linux gives back on demand.
        meminfo = Path("/proc/meminfo")
        lines = meminfo.read_text().splitlines() if meminfo.exists() else []
        free = [line for line in lines if line.startswith("MemAvailable:")]
        return int(free[0].split()[1]) * 1024 if free else None


def device(device_name: str | jax.Device) -> AbstractContextManager[Any]:
    """Return a context in which a device is the default one, for new arrays and programs.

    Args:
        device_name: The platform and the number of the device, as in "cpu:0" or "gpu:1"; without a
            number, the first device of the platform. Or a device of JAX.

    Raises:
        TypeError: The argument is neither.
        ValueError: There is no such device.

    Source: Keras's `keras.device`.

    >>> with device("cpu:0"):
    ...     array = jax.numpy.ones(3)
    >>> array.device.platform
    'cpu'
    """
    if isinstance(device_name, jax.Device):
        return jax.default_device(device_name)
    if not isinstance(device_name, str):
        raise TypeError(
            f"`device`: `device_name` must be a name such as 'cpu:0' or a device of JAX, received "
            f"{device_name!r}."
        )
    platform, _, number = device_name.lower().partition(":")
    try:
        found = [each for each in jax.devices(platform) if str(each.id) == (number or "0")]
    except RuntimeError:
        found = []
    if not found:
        raise ValueError(
            f"`device`: there is no device {device_name!r}. The devices of the default platform "
            f"are {', '.join(f'{each.platform}:{each.id}' for each in jax.devices())}."
        )
    return jax.default_device(found[0])


@compile_function
def _take(tree: PyTree, rows: Array) -> PyTree:
    return jax.tree.map(lambda array: array.at[rows].get(mode="promise_in_bounds"), tree)


DEFAULT = Placement()
