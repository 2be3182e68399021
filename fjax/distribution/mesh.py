"""Keras's names for meshes and layouts: `DeviceMesh`, `TensorLayout`, `distribute_tensor`."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from fjax.core import SymbolicTensor
from fjax.distribution.devices import find_devices
from fjax.training.meshes import make_mesh
from fjax.training.transfers import put_on


class DeviceMesh:
    """Devices along named axes.

    Args:
        shape: The number of devices along each axis.
        axis_names: The names of the axes.
        devices: The devices, by the names of `list_devices`; by default all of them.

    Attributes:
        shape: The number of devices along each axis.
        axis_names: The names of the axes.
        devices: The names of the devices, an array of this shape.
        backend_mesh: The same as `jax.sharding.Mesh`.

    Raises:
        ValueError: The shape does not fit the names or the number of devices, or a device is not
            there.

    Source: Keras's page "DeviceMesh".

    >>> DeviceMesh((1, 1), ["data", "model"], ["cpu:0"])
    DeviceMesh(shape=(1, 1), axis_names=['data', 'model'])
    """

    def __init__(
        self, shape: Sequence[int], axis_names: Sequence[str], devices: Iterable[Any] | None = None
    ) -> None:
        if not len(shape) or len(shape) != len(axis_names):
            raise ValueError(
                f"`DeviceMesh`: `shape` and `axis_names` must have the same length of at least 1, "
                f"received {tuple(shape)} and {list(axis_names)}."
            )
        found = find_devices("DeviceMesh", devices)
        if math.prod(shape) != found.size:
            raise ValueError(
                f"`DeviceMesh`: the shape {tuple(shape)} is for {math.prod(shape)} devices, but "
                f"there are {found.size}: choose some by `devices=list_devices()[:…]`."
            )
        self.shape, self.axis_names = tuple(shape), list(axis_names)
        self.backend_mesh = make_mesh(found.reshape(self.shape), tuple(axis_names))
        names = [f"{device.platform}:{device.id}" for device in found.ravel()]
        self.devices = np.array(names).reshape(self.shape)

    def __repr__(self) -> str:
        return f"DeviceMesh(shape={self.shape}, axis_names={self.axis_names})"


class TensorLayout:
    """The mesh axes that divide the axes of an array.

    Args:
        axes: For each axis of the array the name of a mesh axis, or None.
        device_mesh: The mesh; a `LayoutMap` sets its own if there is none.

    Raises:
        ValueError: The mesh has no axis of this name.

    Source: Keras's page "TensorLayout".

    >>> TensorLayout((None, "model")).spec == PartitionSpec(None, "model")
    True
    """

    def __init__(self, axes: Iterable[str | None], device_mesh: DeviceMesh | None = None) -> None:
        self.axes = tuple(axes)
        self._device_mesh: DeviceMesh | None = None
        if device_mesh is not None:
            self.device_mesh = device_mesh

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh; it may be set once."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, mesh: DeviceMesh) -> None:
        if self._device_mesh is not None:
            raise ValueError("`TensorLayout`: the layout has a `device_mesh`; create another one.")
        check_axes("TensorLayout", self.spec, mesh.backend_mesh)
        self._device_mesh = mesh

    @property
    def spec(self) -> PartitionSpec:
        """The axes as `jax.sharding.PartitionSpec`."""
        return PartitionSpec(*self.axes)

    @property
    def backend_layout(self) -> jax.sharding.NamedSharding:
        """The layout as `jax.sharding.NamedSharding`."""
        return jax.sharding.NamedSharding(_mesh_of(self), self.spec)

    def __repr__(self) -> str:
        return f"TensorLayout(axes={self.axes}, device_mesh={self.device_mesh})"


def distribute_tensor(tensor: Any, layout: TensorLayout) -> Any:
    """Return an array with a layout; within a traced function it is a constraint.

    Args:
        tensor: An array; a symbolic tensor is returned as it is.
        layout: The layout, with a mesh.

    Source: Keras's page "distribute_tensor".

    >>> import jax.numpy as jnp
    >>> mesh = DeviceMesh((1,), ["data"], ["cpu:0"])
    >>> distribute_tensor(jnp.ones((2, 3)), TensorLayout(("data", None), mesh)).shape
    (2, 3)
    """
    if isinstance(tensor, SymbolicTensor):
        return tensor
    return put_on(tensor, _mesh_of(layout), layout.spec)


def check_axes(owner: str, spec: Iterable[Any], mesh: Mesh) -> None:
    """Raise ValueError if a spec names an axis that the mesh does not have."""
    names = [name for axes in spec if axes for name in ([axes] if isinstance(axes, str) else axes)]
    unknown = [name for name in names if name not in mesh.axis_names]
    if unknown or len(set(names)) < len(names):
        raise ValueError(
            f"`{owner}`: the axes {names} must be different axes of the mesh, which has "
            f"{', '.join(map(repr, mesh.axis_names))}."
        )


def _mesh_of(layout: TensorLayout) -> Mesh:
    if layout.device_mesh is None:
        raise ValueError(f"{layout!r} has no mesh: pass `device_mesh`.")
    return layout.device_mesh.backend_mesh
