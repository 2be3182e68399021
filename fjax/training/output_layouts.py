"""How the outputs of layers are divided among the devices of a mesh.

The partitioner divides what lies between the arrays of a step by what divides these. Where weights
are divided along the same mesh axis as the batch (FSDP), it may as well divide the features of
hidden values, and gather the batch. So the rows of the outputs of all layers are constrained: then
each device has its rows, and weights are gathered where a layer needs them.
"""

import math
from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from fjax.core.masking import strip_masks
from fjax.core.precision import apply_layer
from fjax.training.batch import rows
from fjax.training.shardings import WeightLayout, axis_size, shown_spec
from fjax.typing import PyTree

Axes = str | tuple[str, ...] | None


class OutputConstraint:
    """A function that constrains the outputs of layers; see `fjax.core.output_layouts`.

    An output with the rows of the batch is divided by rows, along its other axes as the partitioner
    likes. If the mesh does not divide the batch, outputs are not constrained.

    Args:
        mesh: The devices.
        batch_axes: The mesh axes that divide the batch.
        layout: The rule, which may have specs for outputs.
        row_count: The number of rows of the batch.

    Attributes:
        paths: The paths of the layers that were called.

    Raises:
        ValueError: In a call: the mesh does not divide outputs by their spec.
    """

    def __init__(self, mesh: Mesh, batch_axes: Axes, layout: WeightLayout, row_count: int) -> None:
        self._mesh, self._batch_axes, self._layout = mesh, batch_axes, layout
        self._row_count = row_count
        self._divides_rows = row_count % axis_size(mesh, batch_axes) == 0
        self.paths: list[str] = []

    def __call__(self, path: str, outputs: PyTree) -> PyTree:
        """Return the outputs of the layer with a path, with constraints."""
        self.paths.append(path)
        spec = self._layout.output_spec(path)
        # Within `jax.shard_map` each device has arrays of its own.
        manual = set(jax.sharding.get_abstract_mesh().manual_axes)
        if not self._divides_rows or manual & set(self._mesh.axis_names):
            return outputs
        if spec is not None:
            return jax.tree.map(lambda leaf: _by_spec(path, leaf, spec, self._mesh), outputs)
        return outputs if self._batch_axes is None else jax.tree.map(self._by_rows, outputs)

    def _by_rows(self, leaf: Any) -> Any:
        if not leaf.ndim or leaf.shape[0] != self._row_count:
            return leaf
        free = [PartitionSpec.UNCONSTRAINED] * (leaf.ndim - 1)
        return _constrained(leaf, PartitionSpec(self._batch_axes, *free), self._mesh)


def _by_spec(path: str, leaf: Any, spec: PartitionSpec, mesh: Mesh) -> Any:
    counts = [axis_size(mesh, axes) for axes in spec]
    fits = len(spec) <= leaf.ndim and not any(
        size % count for size, count in zip(leaf.shape, counts, strict=False)
    )
    if not fits:
        raise ValueError(
            f"The outputs of the layer {path!r}, of shape {leaf.shape}, cannot be divided by "
            f"{shown_spec(spec)}, which is for {len(spec)} axes and {math.prod(counts)} devices: "
            "the devices along an axis must divide its size."
        )
    return _constrained(leaf, spec, mesh)


def _constrained(leaf: Any, spec: PartitionSpec, mesh: Mesh) -> Any:
    return jax.lax.with_sharding_constraint(leaf, NamedSharding(mesh, spec))


def check_output_rules(
    placement: Any, network: Any, params: PyTree, state: PyTree, inputs: tuple[PyTree, ...]
) -> None:
    """Raise ValueError if the layout of a placement does not fit the outputs of layers.

    Args:
        placement: The placement.
        network: A layer.
        params: Its params, or their shapes.
        state: Its state, or its shapes.
        inputs: A batch of inputs, or their shapes.
    """
    if placement.mesh is None or not placement.layout.has_outputs:
        return

    def outputs(*weights_and_inputs: PyTree) -> PyTree:
        params, state, *inputs = weights_and_inputs
        return strip_masks(apply_layer(network, params, state, *inputs, key=jax.random.key(0))[0])

    with placement.dividing_outputs(rows(inputs)) as constraint:
        jax.eval_shape(outputs, params, state, *inputs)
    placement.layout.check_outputs(constraint.paths)
