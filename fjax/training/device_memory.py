"""The memory of the device."""

from pathlib import Path

import jax


def half_of_memory() -> int | None:
    """Return half of the bytes of the device's memory; None if they are unknown."""
    statistics = jax.local_devices()[0].memory_stats()
    if statistics and "bytes_limit" in statistics:
        return int(statistics["bytes_limit"] // 2)
    return None


def free_bytes() -> int | None:
    """Return the bytes that are free on the device, or on the host; None if unknown."""
    statistics = jax.local_devices()[0].memory_stats()
    if statistics and "bytes_limit" in statistics:
        return int(statistics["bytes_limit"] - statistics.get("bytes_in_use", 0))
    # "MemAvailable" includes the file cache, which Linux gives back on demand.
    meminfo = Path("/proc/meminfo")
    lines = meminfo.read_text().splitlines() if meminfo.exists() else []
    free = [line for line in lines if line.startswith("MemAvailable:")]
    return int(free[0].split()[1]) * 1024 if free else None
