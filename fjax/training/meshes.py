"""Meshes of devices, and the numbers of their devices, by which a mesh is copied."""

import jax
import numpy as np
from jax.sharding import Mesh


def make_mesh(devices: np.ndarray, axis_names: tuple[str, ...]) -> Mesh:
    """Return a mesh of devices, whose programs XLA partitions."""
    auto = (jax.sharding.AxisType.Auto,) * len(axis_names)
    return Mesh(devices, axis_names, axis_types=auto)


def ids_of(mesh: Mesh) -> np.ndarray:
    """Return the numbers of the devices of a mesh.

    >>> ids_of(make_mesh(np.array(jax.devices()[:1]), ("data",))).tolist()
    [0]
    """
    return np.vectorize(lambda device: device.id, otypes=[int])(mesh.devices)


def mesh_of_ids(ids: np.ndarray, axis_names: tuple[str, ...]) -> Mesh:
    """Return a mesh of the devices with these numbers.

    Raises:
        ValueError: A device is not here.
    """
    devices = {device.id: device for device in jax.devices()}
    missing = sorted(set(ids.ravel().tolist()) - set(devices))
    if missing:
        raise ValueError(
            f"A copied placement has the devices {missing}, which are not here: set another one by "
            "`model.compile(…, placement=…)`."
        )
    return make_mesh(np.vectorize(devices.get, otypes=[object])(ids), axis_names)
