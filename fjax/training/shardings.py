"""How the arrays of a train state are divided among the devices of a mesh."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from fjax.core.reserved import only_weights
from fjax.trees import path_name
from fjax.typing import PyTree, Shape

REPLICATED = PartitionSpec()


class Weight(NamedTuple):
    """A weight of a network.

    Attributes:
        path: The names of the layers that contain it, and its own, joined by "/".
        shape: Its shape.
        is_trained: Whether it is in the params, not in the state.
        size: Its bytes.
    """

    path: str
    shape: Shape
    is_trained: bool
    size: int

    @property
    def value_count(self) -> int:
        """The number of its values."""
        return math.prod(self.shape)


class WeightLayout(Protocol):
    """A rule that divides weights among devices; it is compared by value, and hashable.

    It may divide the outputs of layers, too.
    """

    def specs(self, weights: Sequence[Weight], mesh: Mesh) -> list[PartitionSpec]:
        """Return for each weight the mesh axes that divide its axes."""
        ...

    def output_spec(self, path: str) -> PartitionSpec | None:
        """Return the spec of the outputs of the layer with a path; None for no spec."""
        ...

    @property
    def has_outputs(self) -> bool:
        """Whether there may be specs for outputs."""
        ...

    def check_outputs(self, paths: Collection[str]) -> None:
        """Raise ValueError if the rule does not fit the layers with these paths."""
        ...

    def for_model(self, name: str) -> "WeightLayout":
        """Return the rule for the weights of a model with this name."""
        ...


class FreeOutputs:
    """The part of a layout that has no specs for outputs."""

    has_outputs = False

    def output_spec(self, path: str) -> PartitionSpec | None:
        """Return None."""
        return None

    def check_outputs(self, paths: Collection[str]) -> None:
        """Accept all layers."""


class Replicated(FreeOutputs):
    """Each device has all weights.

    >>> Replicated() == Replicated()
    True
    """

    def specs(self, weights: Sequence[Weight], mesh: Mesh) -> list[PartitionSpec]:
        """Return a spec without mesh axes for each weight."""
        return [REPLICATED] * len(weights)

    def for_model(self, name: str) -> "Replicated":
        """Return the same rule."""
        return self

    def __eq__(self, other: object) -> bool:
        return type(other) is Replicated

    def __hash__(self) -> int:
        return hash(Replicated)

    def __repr__(self) -> str:
        return "Replicated()"


def weights_of(params: PyTree, state: PyTree) -> list[Weight]:
    """Return the weights in trees of arrays or shapes, the params first.

    >>> weights_of({"dense": {"bias": np.zeros(3, "f")}}, {"dense": {"penalty": np.zeros(())}})
    [Weight(path='dense/bias', shape=(3,), is_trained=True, size=12)]
    """
    state = only_weights(state) if isinstance(state, Mapping) else state
    return [
        Weight(path_name(path), np.shape(leaf), is_trained, _size(leaf))
        for tree, is_trained in ((params, True), (state, False))
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    ]


def _size(leaf: Any) -> int:
    return math.prod(np.shape(leaf)) * jax.dtypes.result_type(leaf).itemsize


class WeightSpecs:
    """The specs of the weights of a network, and of the arrays of an optimizer that belong to them.

    Args:
        layout: The rule.
        mesh: The devices.
        params: The params, or their shapes.
        state: The network's state, or its shapes.

    Raises:
        ValueError: The rule does not fit the weights, or the mesh does not divide one.
    """

    def __init__(self, layout: WeightLayout, mesh: Mesh, params: PyTree, state: PyTree) -> None:
        self._mesh = mesh
        self.weights = weights_of(params, state)
        self.specs = layout.specs(self.weights, mesh)
        self._check_divisible()
        pairs = list(zip(self.weights, self.specs, strict=True))
        self._trained = {tuple(w.path.split("/")): (w, spec) for w, spec in pairs if w.is_trained}
        self._state = {weight.path: spec for weight, spec in pairs if not weight.is_trained}

    def for_params(self, path: Sequence[Any], shape: Shape) -> PartitionSpec:
        """Return the spec of an array of the params, or of a tree with this structure within it.

        An array of an optimizer belongs to the weight at whose path its own path ends, if it has
        its shape; others are replicated.
        """
        names = path_name(path).split("/")
        for start in range(len(names)):
            weight, spec = self._trained.get(tuple(names[start:]), (None, REPLICATED))
            if weight is not None:
                return spec if weight.shape == shape else REPLICATED
        return REPLICATED

    def for_state(self, path: Sequence[Any], shape: Shape) -> PartitionSpec:
        """Return the spec of an array of the state."""
        return self._state.get(path_name(path), REPLICATED)

    def _check_divisible(self) -> None:
        for weight, spec in zip(self.weights, self.specs, strict=True):
            problem = _problem(weight, spec, self._mesh)
            if problem:
                raise ValueError(
                    f"The weight {weight.path!r} of shape {weight.shape} cannot be divided by "
                    f"{shown_spec(spec)}: {problem}\n{self.table()}"
                )

    def table(self) -> str:
        """Return the weights, their specs and their bytes a device as text."""
        return weight_table(self.weights, self.specs, self._mesh)


def _problem(weight: Weight, spec: PartitionSpec, mesh: Mesh) -> str | None:
    """Return why a mesh cannot divide a weight by a spec, or None."""
    if len(spec) > len(weight.shape):
        return f"the spec has {len(spec)} axes, and the weight {len(weight.shape)}."
    for size, axes in zip(weight.shape, spec, strict=False):
        count = axis_size(mesh, axes)
        if size % count:
            return f"the mesh axis {axes!r} has {count} devices, which do not divide {size}."
    return None


def axis_size(mesh: Mesh, axes: Any) -> int:
    """Return the number of devices along mesh axes: a name, several names, or None."""
    names = () if axes is None else (axes,) if isinstance(axes, str) else axes
    return math.prod(mesh.shape[name] for name in names)


def weight_table(
    weights: Sequence[Weight], specs: Sequence[PartitionSpec | str], mesh: Mesh
) -> str:
    """Return weights, their specs and their bytes a device as text."""
    rows = [("weight", "shape", "spec", "bytes a device")]
    for weight, spec in zip(weights, specs, strict=True):
        counts = [] if isinstance(spec, str) else [axis_size(mesh, axes) for axes in spec]
        size = weight.size // math.prod(counts)
        shown = spec if isinstance(spec, str) else shown_spec(spec)
        rows.append((weight.path, str(weight.shape), shown, f"{size:,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if position == 3 else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(lines)


def shown_spec(spec: PartitionSpec) -> str:
    """Return a spec as text.

    >>> shown_spec(PartitionSpec(None, "model")), shown_spec(PartitionSpec(None))
    ("P(None, 'model')", 'replicated')
    """
    return f"P({', '.join(map(repr, spec))})" if any(spec) else "replicated"


def bytes_a_device(tree: PyTree) -> int:
    """Return the bytes that each device has of a tree of arrays or shapes with shardings.

    >>> bytes_a_device(np.zeros((2, 3), np.float32))
    24
    """
    return sum(
        math.prod(_shard_shape(leaf)) * np.dtype(leaf.dtype).itemsize
        for leaf in jax.tree.leaves(tree)
        if not jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    )


def _shard_shape(leaf: Any) -> Shape:
    sharding = getattr(leaf, "sharding", None)
    return leaf.shape if sharding is None else sharding.shard_shape(leaf.shape)


def with_sharding(leaf: Any, sharding: NamedSharding | None) -> jax.ShapeDtypeStruct:
    """Return the shape and dtype of an array, with a sharding."""
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)


def with_specs(tree: PyTree, mesh: Mesh, spec_of: Any) -> PyTree:
    """Return a tree of shardings like a tree; `spec_of(path, shape)` returns the spec of a leaf."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: NamedSharding(mesh, spec_of(path, np.shape(leaf))), tree
    )
