"""The placements of a run on several devices."""

from collections.abc import Iterable, Mapping
from typing import Any

from jax.sharding import Mesh, PartitionSpec

from fjax.distribution.devices import find_devices
from fjax.distribution.layouts import LargestAxis, Rules
from fjax.distribution.mesh import DeviceMesh, check_axes
from fjax.errors import integer_at_least
from fjax.training.meshes import make_mesh
from fjax.training.placement import Placement

DATA = "data"


def data_parallel(devices: Iterable[Any] | None = None) -> Placement:
    """Return a placement that divides each batch; every device has all weights.

    Args:
        devices: Devices, or their names as of `list_devices`; by default all of them.

    Raises:
        ValueError: A device is not there.

    >>> data_parallel(["cpu:0"]).batch_shards
    1
    """
    return Placement(_data_mesh("data_parallel", devices), DATA)


def fsdp(min_size: int = 2**18, devices: Iterable[Any] | None = None) -> Placement:
    """Return a placement that divides each batch, and each large weight with its optimizer state.

    A large weight is divided along its largest axis that the number of devices divides. XLA gathers
    it where a layer needs it.

    Args:
        min_size: The number of values from which a weight is large.
        devices: Devices, or their names as of `list_devices`; by default all of them.

    Raises:
        ValueError: A device is not there.

    Source: Rajbhandari et al., "ZeRO", 2020.
    """
    size = integer_at_least("fsdp", "min_size", min_size, 1)
    return Placement(_data_mesh("fsdp", devices), DATA, LargestAxis(DATA, size))


def sharded(
    mesh: Mesh | DeviceMesh,
    rules: Mapping[str, PartitionSpec | tuple[Any, ...]],
    batch: str | tuple[str, ...] | None = None,
) -> Placement:
    """Return a placement that divides weights by rules.

    A rule is a regular expression, which is matched with the whole path of a weight, such as
    "dense_1/kernel", and the mesh axes that divide the weight's axes. The rule ".*" is for all
    weights that no other rule matches. An optimizer's arrays are divided like their weights. A rule
    that ends with "output" is for the outputs of layers, whose paths are "dense_1/output"; without
    one, XLA chooses how the features are divided.

    Args:
        mesh: The devices, along named axes.
        rules: The rules.
        batch: The mesh axes that divide each batch; None if each device has the whole batch.

    Raises:
        ValueError: A rule or `batch` names an axis that the mesh does not have. When the rules meet
            a model: a rule matches nothing, a weight matches no rule or two, or the mesh does not
            divide a weight. The error shows the table of the weights.

    >>> from jax.sharding import PartitionSpec as P
    >>> mesh = DeviceMesh((1, 1), ["data", "model"], ["cpu:0"])
    >>> placement = sharded(mesh, {"dense.*/kernel": P(None, "model"), ".*": P()}, batch="data")
    >>> placement.batch_shards
    1
    """
    return place_by_rules("sharded", mesh, rules, batch, is_strict=True)


def place_by_rules(
    owner: str,
    mesh: Mesh | DeviceMesh,
    rules: Mapping[str, Any],
    batch: str | tuple[str, ...] | None,
    is_strict: bool,
) -> Placement:
    """Return the placement of `sharded`, or of Keras's `ModelParallel`, which is not strict."""
    devices = mesh.backend_mesh if isinstance(mesh, DeviceMesh) else mesh
    if not isinstance(devices, Mesh):
        raise TypeError(
            f"`{owner}`: `mesh` must be a `DeviceMesh` or a `jax.sharding.Mesh`, received {mesh!r}."
        )
    pairs = []
    for pattern, axes in rules.items():
        if not isinstance(axes, tuple | PartitionSpec):
            raise TypeError(
                f"`{owner}`: the rule {pattern!r} must have a `PartitionSpec` or a tuple of names "
                f"and None, received {axes!r}."
            )
        check_axes(f"{owner}[{pattern!r}]", axes, devices)
        pairs.append((pattern, PartitionSpec(*axes)))
    check_axes(owner, [batch], devices)
    # XLA's partitioner chooses the layouts between the annotated arrays.
    automatic = make_mesh(devices.devices, devices.axis_names)
    return Placement(automatic, batch, Rules(tuple(pairs), is_strict))


def _data_mesh(owner: str, devices: Iterable[Any] | None) -> Mesh:
    return make_mesh(find_devices(owner, devices).ravel(), (DATA,))
