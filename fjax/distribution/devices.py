"""The devices of all processes, by name."""

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from fjax.errors import one_of


def list_devices(device_type: str | None = None) -> list[str]:
    """Return the names of the devices, such as "gpu:1".

    Args:
        device_type: "cpu", "gpu" or "tpu"; by default that of JAX's default devices.

    Source: Keras's page "list_devices".

    >>> list_devices("cpu")[0]
    'cpu:0'
    """
    return [_name(device) for device in _devices(device_type)]


def get_device_count(device_type: str | None = None) -> int:
    """Return the number of devices.

    Args:
        device_type: "cpu", "gpu" or "tpu"; by default that of JAX's default devices.
    """
    return len(_devices(device_type))


def find_devices(owner: str, devices: Iterable[Any] | None) -> np.ndarray:
    """Return the devices with these names as an array of the same shape; None is all devices.

    Args:
        owner: The function that errors name.
        devices: Names, as `list_devices` returns them, or JAX's devices.

    Raises:
        ValueError: A device is not there, or is named twice.
    """
    if devices is None:
        return np.array(jax.devices(), dtype=object)
    known = {
        _name(device): device for device in [*jax.local_devices(backend="cpu"), *jax.devices()]
    }
    asked = np.array(devices, dtype=object)
    if asked.ndim == 0 or asked.size == 0:
        raise ValueError(
            f"`{owner}`: `devices` must be a list of devices, such as `list_devices()[:2]`, "
            f"received {devices!r}."
        )
    names = [each if isinstance(each, str) else _name(each) for each in asked.ravel()]
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(
            f"`{owner}`: there is no device {', '.join(map(repr, missing))}. Devices: "
            f"{', '.join(list_devices())}."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"`{owner}`: a device is named twice in {names}.")
    found = np.empty(len(names), dtype=object)
    found[:] = [known[name] for name in names]
    return found.reshape(asked.shape)


def _devices(device_type: str | None) -> list[Any]:
    if device_type is None:
        return jax.devices()
    one_of("list_devices", "device_type", device_type.lower(), ["cpu", "gpu", "tpu"])
    try:
        return jax.devices(device_type.lower())
    except RuntimeError:
        return []


def _name(device: Any) -> str:
    return f"{device.platform}:{device.id}"
